-- CreateTable
CREATE TABLE "former_nodes" (
    "tenant_id" UUID NOT NULL,
    "executor_id" UUID NOT NULL,
    "pool" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "node" JSONB NOT NULL,
    "count" INTEGER NOT NULL,
    "left_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "former_nodes_pkey" PRIMARY KEY ("tenant_id","executor_id","pool","kind")
);

-- CreateIndex
CREATE INDEX "former_nodes_left_at_idx" ON "former_nodes"("left_at");

-- AddForeignKey
ALTER TABLE "former_nodes" ADD CONSTRAINT "former_nodes_executor_id_fkey" FOREIGN KEY ("executor_id") REFERENCES "executors"("id") ON DELETE CASCADE ON UPDATE CASCADE;
