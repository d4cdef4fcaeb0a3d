-- Everything inserted before the look began has been noted.
INSERT INTO activity_changes (tenant, quarter, newest)
SELECT {tenant:String}, toDateTime(0, 'UTC'), fromUnixTimestamp64Milli({looked_ms:Int64}, 'UTC')
