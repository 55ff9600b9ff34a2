-- AlterTable
ALTER TABLE "node_executions" ADD COLUMN     "cache_key" TEXT;

-- CreateTable
CREATE TABLE "cache_entries" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "task_project" TEXT NOT NULL,
    "task_domain" TEXT NOT NULL,
    "task_name" TEXT NOT NULL,
    "cache_version" TEXT NOT NULL,
    "outputs" JSON NOT NULL,
    "blob_ids" UUID[],
    "catalog_key" JSON NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cache_entries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "cache_reservations" (
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "owner_id" UUID NOT NULL,
    "execution_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cache_reservations_pkey" PRIMARY KEY ("tenant_id","project_id","key")
);

-- CreateTable
CREATE TABLE "cache_waiters" (
    "node_execution_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "execution_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cache_waiters_pkey" PRIMARY KEY ("node_execution_id")
);

-- CreateIndex
CREATE INDEX "cache_entries_project_id_id_idx" ON "cache_entries"("project_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "cache_entries_tenant_id_project_id_key_key" ON "cache_entries"("tenant_id", "project_id", "key");

-- CreateIndex
CREATE INDEX "cache_reservations_execution_id_idx" ON "cache_reservations"("execution_id");

-- CreateIndex
CREATE INDEX "cache_waiters_tenant_id_project_id_key_idx" ON "cache_waiters"("tenant_id", "project_id", "key");

-- CreateIndex
CREATE INDEX "cache_waiters_execution_id_idx" ON "cache_waiters"("execution_id");

-- By hand: what refers to tables of other capabilities, or to rows that are made later in the same transaction.
ALTER TABLE "cache_entries" ADD CONSTRAINT "cache_entries_project" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE CASCADE;
ALTER TABLE "cache_reservations" ADD CONSTRAINT "cache_reservations_execution" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE;
ALTER TABLE "cache_waiters" ADD CONSTRAINT "cache_waiters_node" FOREIGN KEY ("node_execution_id") REFERENCES "node_executions"("id") ON DELETE CASCADE;
