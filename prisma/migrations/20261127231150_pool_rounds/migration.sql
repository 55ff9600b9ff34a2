-- AlterTable
ALTER TABLE "queue_share_samples" ADD COLUMN     "cost" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "weight" DOUBLE PRECISION NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "pool_rounds" (
    "tenant_id" UUID NOT NULL,
    "pool" TEXT NOT NULL,
    "last_round_at" TIMESTAMPTZ(3),
    "last_sample_at" TIMESTAMPTZ(3),

    CONSTRAINT "pool_rounds_pkey" PRIMARY KEY ("tenant_id","pool")
);

-- CreateIndex
CREATE INDEX "queue_share_samples_tenant_id_pool_taken_at_idx" ON "queue_share_samples"("tenant_id", "pool", "taken_at");
