-- CreateEnum
CREATE TYPE "oauth2_record_kind" AS ENUM ('Session', 'Interaction', 'AuthorizationCode', 'AccessToken', 'RefreshToken', 'ClientCredentials', 'Grant', 'ReplayDetection');

-- CreateTable
CREATE TABLE "oauth2_records" (
    "kind" "oauth2_record_kind" NOT NULL,
    "id_hash" BYTEA NOT NULL,
    "tenant_id" UUID,
    "client_row_id" UUID,
    "account_id" TEXT,
    "grant_id" TEXT,
    "uid" TEXT,
    "payload" JSONB NOT NULL,
    "consumed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oauth2_records_pkey" PRIMARY KEY ("kind","id_hash")
);

-- CreateTable
CREATE TABLE "oauth2_consents" (
    "grant_id" TEXT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "client_row_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "login_session_id" TEXT,
    "scopes" TEXT[],
    "audience" TEXT[],
    "session" JSONB NOT NULL,
    "is_repeated" BOOLEAN NOT NULL DEFAULT false,
    "is_remembered" BOOLEAN NOT NULL,
    "remembered_until" TIMESTAMPTZ(3),
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "handled_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "oauth2_consents_pkey" PRIMARY KEY ("grant_id")
);

-- CreateIndex
CREATE INDEX "oauth2_records_grant_id_idx" ON "oauth2_records"("grant_id");

-- CreateIndex
CREATE INDEX "oauth2_records_uid_idx" ON "oauth2_records"("uid");

-- CreateIndex
CREATE INDEX "oauth2_records_client_row_id_idx" ON "oauth2_records"("client_row_id");

-- CreateIndex
CREATE INDEX "oauth2_records_expires_at_idx" ON "oauth2_records"("expires_at");

-- CreateIndex
CREATE INDEX "oauth2_consents_tenant_id_subject_idx" ON "oauth2_consents"("tenant_id", "subject");

-- CreateIndex
CREATE INDEX "oauth2_consents_client_row_id_subject_idx" ON "oauth2_consents"("client_row_id", "subject");

-- AddForeignKey
ALTER TABLE "oauth2_records" ADD CONSTRAINT "oauth2_records_client_row_id_fkey" FOREIGN KEY ("client_row_id") REFERENCES "oauth2_clients"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "oauth2_consents" ADD CONSTRAINT "oauth2_consents_client_row_id_fkey" FOREIGN KEY ("client_row_id") REFERENCES "oauth2_clients"("id") ON DELETE CASCADE ON UPDATE CASCADE;
