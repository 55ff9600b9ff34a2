-- AlterTable
ALTER TABLE "oauth2_records" ADD COLUMN     "subject_hash" BYTEA,
ADD COLUMN     "subject_kind" "oauth2_record_kind";

-- CreateIndex
CREATE INDEX "oauth2_records_subject_kind_subject_hash_idx" ON "oauth2_records"("subject_kind", "subject_hash");

-- AddForeignKey
ALTER TABLE "oauth2_records" ADD CONSTRAINT "oauth2_records_subject_kind_subject_hash_fkey" FOREIGN KEY ("subject_kind", "subject_hash") REFERENCES "oauth2_records"("kind", "id_hash") ON DELETE CASCADE ON UPDATE CASCADE;
