-- The pushed requests of a client that wait for their browsers are counted with each new one.
CREATE INDEX "oauth2_records_pushed" ON "oauth2_records" ("client_row_id") WHERE "kind" = 'PushedAuthorizationRequest' AND "consumed_at" IS NULL;
