-- AlterTable
ALTER TABLE "blobs" ADD COLUMN     "used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- CreateTable
CREATE TABLE "blob_remains" (
    "blob_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "location" TEXT NOT NULL,

    CONSTRAINT "blob_remains_pkey" PRIMARY KEY ("blob_id")
);

-- CreateIndex
CREATE INDEX "blobs_used_at_idx" ON "blobs"("used_at");
