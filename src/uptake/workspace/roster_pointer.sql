-- The roster generation that queries read now, and since when.

SELECT generation, published_at
FROM generations FINAL
WHERE tenant = {tenant:String} AND name = 'roster'
