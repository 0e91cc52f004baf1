-- What a bit that flipped on the disk would change is told from what was written. Both are 64 bits of
-- SipHash, and NULL only until the first start behind this migration.
--   rows_sum  of all rows of the poll in vote, added up
--   sum       of this row, rows_sum included, and of the poll's rows in tally
-- meta has live: the polls that are there, added up in the same way.
ALTER TABLE poll ADD COLUMN rows_sum INTEGER;
ALTER TABLE poll ADD COLUMN sum INTEGER;
