-- DropIndex
DROP INDEX "tenants_name_key";

-- AlterTable
ALTER TABLE "tenants" ADD COLUMN     "name_key" TEXT;

UPDATE "tenants" SET "name_key" = lower(normalize("name", NFKC));

-- Of tenants whose names differ in case alone the oldest keeps the name. The others are addressed by their ids until
-- they are renamed.
UPDATE "tenants" AS younger SET "name_key" = younger."name_key" || ' ' || younger."id"
 WHERE EXISTS (
   SELECT FROM "tenants" AS older
    WHERE older."name_key" = younger."name_key"
      AND (older."created_at", older."id") < (younger."created_at", younger."id")
 );

ALTER TABLE "tenants" ALTER COLUMN "name_key" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "tenants_name_key_key" ON "tenants"("name_key");
