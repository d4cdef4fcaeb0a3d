DELETE FROM activity
WHERE tenant = {tenant:String} AND generation IN {generations:Array(UInt64)}
    AND (zone, day, generation) IN arrayZip({zones:Array(String)}, {days:Array(Date)}, {generations:Array(UInt64)})
