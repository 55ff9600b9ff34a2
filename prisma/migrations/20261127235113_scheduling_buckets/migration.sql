-- CreateTable
CREATE TABLE "scheduling_buckets" (
    "tenant_id" UUID NOT NULL,
    "pool" TEXT NOT NULL,
    "queue_id" UUID NOT NULL,
    "tokens" DOUBLE PRECISION NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "scheduling_buckets_pkey" PRIMARY KEY ("tenant_id","pool","queue_id")
);
