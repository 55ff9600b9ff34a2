-- An empty list said 'no limit'. That is null now, and nothing can be stored that reads as the opposite.
UPDATE "credentials" SET "scopes" = NULL WHERE "scopes" = '{}';
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_scopes_name_some" CHECK (cardinality("scopes") > 0);
