-- DropIndex
DROP INDEX "grants_user_id_idx";

-- DropIndex
DROP INDEX "grants_group_id_idx";

-- CreateIndex
CREATE INDEX "grants_user_id_resource_id_idx" ON "grants"("user_id", "resource_id");

-- CreateIndex
CREATE INDEX "grants_group_id_resource_id_idx" ON "grants"("group_id", "resource_id");
