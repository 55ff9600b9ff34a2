-- CreateTable
CREATE TABLE "identity_providers" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "client_secret_sealed" BYTEA,
    "scopes" TEXT[],
    "username_claim" TEXT NOT NULL,
    "groups_claim" TEXT,
    "new_user_role" "role",
    "links_by_password" BOOLEAN NOT NULL,
    "is_enabled" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "identity_providers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "identity_provider_groups" (
    "identity_provider_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "value" TEXT NOT NULL,
    "group_id" UUID NOT NULL,

    CONSTRAINT "identity_provider_groups_pkey" PRIMARY KEY ("identity_provider_id","value","group_id")
);

-- CreateTable
CREATE TABLE "identity_links" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "identity_provider_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "identity_links_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "identity_providers_tenant_id_name_key_key" ON "identity_providers"("tenant_id", "name_key");

-- CreateIndex
CREATE INDEX "identity_provider_groups_group_id_idx" ON "identity_provider_groups"("group_id");

-- CreateIndex
CREATE INDEX "identity_links_user_id_idx" ON "identity_links"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "identity_links_identity_provider_id_subject_key" ON "identity_links"("identity_provider_id", "subject");

-- CreateIndex
CREATE UNIQUE INDEX "identity_links_identity_provider_id_user_id_key" ON "identity_links"("identity_provider_id", "user_id");

-- AddForeignKey
ALTER TABLE "identity_provider_groups" ADD CONSTRAINT "identity_provider_groups_identity_provider_id_fkey" FOREIGN KEY ("identity_provider_id") REFERENCES "identity_providers"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "identity_links" ADD CONSTRAINT "identity_links_identity_provider_id_fkey" FOREIGN KEY ("identity_provider_id") REFERENCES "identity_providers"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A link goes with its user, and the mapping of a group with the group.
ALTER TABLE "identity_links" ADD CONSTRAINT "identity_links_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE;
ALTER TABLE "identity_provider_groups" ADD CONSTRAINT "identity_provider_groups_group" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON DELETE CASCADE;
