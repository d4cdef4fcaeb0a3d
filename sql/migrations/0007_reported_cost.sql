-- What an app said that a call cost, in the currency in which it said so: with it a call can be priced again when
-- prices or rates change. NULL where it said nothing, and in rows written before this migration; of those whose
-- price_source is 'reported', cost_nano is the amount in the currency of the row.

ALTER TABLE usage ADD COLUMN IF NOT EXISTS reported_nano Nullable(Int64) DEFAULT NULL;
ALTER TABLE usage ADD COLUMN IF NOT EXISTS reported_currency LowCardinality(String) DEFAULT '';
