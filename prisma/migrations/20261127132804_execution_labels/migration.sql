-- CreateTable
CREATE TABLE "execution_labels" (
    "execution_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,

    CONSTRAINT "execution_labels_pkey" PRIMARY KEY ("execution_id","key")
);

-- CreateTable
CREATE TABLE "execution_tags" (
    "execution_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "tag" TEXT NOT NULL,

    CONSTRAINT "execution_tags_pkey" PRIMARY KEY ("execution_id","tag")
);

-- CreateIndex
CREATE INDEX "execution_labels_tenant_id_key_value_execution_id_idx" ON "execution_labels"("tenant_id", "key", "value", "execution_id");

-- CreateIndex
CREATE INDEX "execution_tags_tenant_id_tag_execution_id_idx" ON "execution_tags"("tenant_id", "tag", "execution_id");

-- AddForeignKey
ALTER TABLE "execution_labels" ADD CONSTRAINT "execution_labels_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "execution_tags" ADD CONSTRAINT "execution_tags_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;
