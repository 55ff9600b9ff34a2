-- CreateTable
CREATE TABLE "oauth2_clients" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "settings" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "oauth2_clients_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "oauth2_client_secrets" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "client_row_id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "oauth2_client_secrets_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "oauth2_clients_client_id_key" ON "oauth2_clients"("client_id");

-- CreateIndex
CREATE INDEX "oauth2_clients_tenant_id_name_idx" ON "oauth2_clients"("tenant_id", "name");

-- CreateIndex
CREATE INDEX "oauth2_clients_tenant_id_owner_idx" ON "oauth2_clients"("tenant_id", "owner");

-- CreateIndex
CREATE UNIQUE INDEX "oauth2_clients_tenant_id_client_id_key" ON "oauth2_clients"("tenant_id", "client_id");

-- CreateIndex
CREATE INDEX "oauth2_client_secrets_client_row_id_idx" ON "oauth2_client_secrets"("client_row_id");

-- AddForeignKey
ALTER TABLE "oauth2_client_secrets" ADD CONSTRAINT "oauth2_client_secrets_client_row_id_fkey" FOREIGN KEY ("client_row_id") REFERENCES "oauth2_clients"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Lists are in the order of bytes.
DROP INDEX "oauth2_clients_tenant_id_client_id_key";
CREATE UNIQUE INDEX "oauth2_clients_tenant_id_client_id_key" ON "oauth2_clients"("tenant_id", "client_id" COLLATE "C");
