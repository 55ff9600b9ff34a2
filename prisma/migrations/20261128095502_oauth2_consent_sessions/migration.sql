-- DropIndex
DROP INDEX "oauth2_consents_tenant_id_subject_idx";

-- AlterTable
ALTER TABLE "oauth2_consents" ADD COLUMN     "request" JSONB,
ADD COLUMN     "request_id" TEXT;

-- CreateIndex
CREATE INDEX "oauth2_records_account_id_idx" ON "oauth2_records"("account_id");

-- CreateIndex
CREATE INDEX "oauth2_consents_tenant_id_subject_requested_at_grant_id_idx" ON "oauth2_consents"("tenant_id", "subject", "requested_at" DESC, "grant_id" DESC);

-- CreateIndex
CREATE INDEX "oauth2_consents_request_id_idx" ON "oauth2_consents"("request_id");
