-- CreateEnum
CREATE TYPE "level" AS ENUM ('NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE');

-- CreateEnum
CREATE TYPE "execution_phase" AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDING', 'SUCCEEDED', 'FAILING', 'FAILED', 'ABORTED', 'TIMED_OUT', 'ABORTING');

-- CreateEnum
CREATE TYPE "node_execution_phase" AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILING', 'FAILED', 'ABORTED', 'SKIPPED', 'TIMED_OUT', 'DYNAMIC_RUNNING', 'RECOVERED');

-- CreateEnum
CREATE TYPE "task_execution_phase" AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'ABORTED', 'FAILED', 'INITIALIZING', 'WAITING_FOR_RESOURCES', 'RETRYABLE_FAILED');

-- CreateEnum
CREATE TYPE "execution_state" AS ENUM ('ACTIVE', 'ARCHIVED');

-- CreateEnum
CREATE TYPE "execution_mode" AS ENUM ('MANUAL', 'SCHEDULED', 'SYSTEM', 'RELAUNCH', 'CHILD_WORKFLOW', 'RECOVERED', 'TRIGGER');

-- CreateEnum
CREATE TYPE "execution_engine" AS ENUM ('SLIPWAY', 'EXTERNAL');

-- CreateEnum
CREATE TYPE "error_kind" AS ENUM ('UNKNOWN', 'USER', 'SYSTEM');

-- CreateEnum
CREATE TYPE "execution_event_kind" AS ENUM ('EXECUTION', 'NODE', 'TASK');

-- CreateEnum
CREATE TYPE "role" AS ENUM ('ROOT', 'SYSTEM', 'ADMIN', 'SUPERUSER', 'USER', 'ANNOTATOR', 'GUEST');

-- CreateEnum
CREATE TYPE "user_kind" AS ENUM ('PERSON', 'SERVICE_ACCOUNT');

-- CreateEnum
CREATE TYPE "job_state" AS ENUM ('QUEUED', 'LEASED', 'PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PREEMPTED', 'REJECTED');

-- CreateEnum
CREATE TYPE "job_run_state" AS ENUM ('LEASED', 'PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'PREEMPTED', 'CANCELLED', 'LEASE_EXPIRED', 'LEASE_RETURNED');

-- CreateEnum
CREATE TYPE "job_event_kind" AS ENUM ('SUBMITTED', 'QUEUED', 'LEASED', 'LEASE_RETURNED', 'LEASE_EXPIRED', 'PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLING', 'CANCELLED', 'REPRIORITIZING', 'REPRIORITIZED', 'PREEMPTING', 'PREEMPTED', 'UTILISATION');

-- CreateEnum
CREATE TYPE "log_stream" AS ENUM ('STDOUT', 'STDERR');

-- CreateEnum
CREATE TYPE "project_state" AS ENUM ('ACTIVE', 'ARCHIVED', 'SYSTEM_GENERATED', 'SYSTEM_ARCHIVED');

-- CreateEnum
CREATE TYPE "launch_plan_state" AS ENUM ('INACTIVE', 'ACTIVE');

-- CreateTable
CREATE TABLE "blobs" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "sha256" BYTEA NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "uploaded_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "blobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "blob_chunks" (
    "blob_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "tenant_id" UUID NOT NULL,
    "content" BYTEA NOT NULL,

    CONSTRAINT "blob_chunks_pkey" PRIMARY KEY ("blob_id","position")
);

-- CreateTable
CREATE TABLE "executions" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "launch_plan_id" UUID NOT NULL,
    "workflow_id" UUID NOT NULL,
    "engine" "execution_engine" NOT NULL DEFAULT 'SLIPWAY',
    "mode" "execution_mode" NOT NULL DEFAULT 'MANUAL',
    "phase" "execution_phase" NOT NULL DEFAULT 'QUEUED',
    "state" "execution_state" NOT NULL DEFAULT 'ACTIVE',
    "principal_id" UUID NOT NULL,
    "queue" TEXT NOT NULL,
    "max_parallelism" INTEGER NOT NULL DEFAULT 25,
    "user_inputs" JSONB NOT NULL,
    "inputs" JSONB NOT NULL,
    "outputs" JSONB,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_kind" "error_kind",
    "error_node_id" TEXT,
    "abort_cause" TEXT,
    "abort_principal_id" UUID,
    "last_sequence" BIGINT NOT NULL DEFAULT 0,
    "advance_at" TIMESTAMPTZ(3),
    "failed_turns" INTEGER NOT NULL DEFAULT 0,
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "executions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "node_executions" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "execution_id" UUID NOT NULL,
    "node_id" TEXT NOT NULL,
    "phase" "node_execution_phase" NOT NULL DEFAULT 'QUEUED',
    "inputs" JSONB,
    "outputs" JSONB,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_kind" "error_kind",
    "latest_task_execution_id" UUID,
    "latest_attempt" INTEGER,
    "latest_task_phase" "task_execution_phase",
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "node_executions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "task_executions" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "execution_id" UUID NOT NULL,
    "node_execution_id" UUID NOT NULL,
    "task_id" UUID NOT NULL,
    "retry_attempt" INTEGER NOT NULL,
    "phase" "task_execution_phase" NOT NULL DEFAULT 'QUEUED',
    "phase_version" INTEGER NOT NULL DEFAULT 0,
    "outputs" JSONB,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_kind" "error_kind",
    "reason" TEXT,
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "task_executions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "execution_events" (
    "execution_id" UUID NOT NULL,
    "sequence" BIGINT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "kind" "execution_event_kind" NOT NULL,
    "phase" TEXT NOT NULL,
    "node_id" TEXT,
    "attempt" INTEGER,
    "error" JSONB,
    "reason" TEXT,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "execution_events_pkey" PRIMARY KEY ("execution_id","sequence")
);

-- CreateTable
CREATE TABLE "node_phase_counts" (
    "execution_id" UUID NOT NULL,
    "phase" "node_execution_phase" NOT NULL,
    "tenant_id" UUID NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "node_phase_counts_pkey" PRIMARY KEY ("execution_id","phase")
);

-- CreateTable
CREATE TABLE "tenants" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "default_level" "level",
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "kind" "user_kind" NOT NULL DEFAULT 'PERSON',
    "username" TEXT NOT NULL,
    "username_key" TEXT NOT NULL,
    "email" TEXT,
    "email_key" TEXT,
    "name" TEXT NOT NULL,
    "role" "role" NOT NULL DEFAULT 'USER',
    "password_hash" TEXT,
    "default_level" "level",
    "version" INTEGER NOT NULL DEFAULT 1,
    "disabled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credentials" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "access_key" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "label" TEXT,
    "scopes" TEXT[],
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "last_used_from" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "credentials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "queues" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID,
    "name" TEXT NOT NULL,
    "priority_factor" DOUBLE PRECISION NOT NULL DEFAULT 1,
    "cordoned" BOOLEAN NOT NULL DEFAULT false,
    "labels" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "queues_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_sets" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "queue_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "owner_id" UUID,
    "project_id" UUID,
    "last_sequence" BIGINT NOT NULL DEFAULT 0,
    "owner_sequence" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_sets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "jobs" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "queue_id" UUID NOT NULL,
    "job_set_id" UUID NOT NULL,
    "client_id" TEXT,
    "state" "job_state" NOT NULL DEFAULT 'QUEUED',
    "priority" BIGINT NOT NULL DEFAULT 0,
    "priority_class" TEXT NOT NULL DEFAULT 'slipway-default',
    "class_priority" INTEGER NOT NULL DEFAULT 1000,
    "pool" TEXT NOT NULL DEFAULT 'default',
    "spec" JSONB NOT NULL,
    "labels" JSONB NOT NULL DEFAULT '{}',
    "annotations" JSONB NOT NULL DEFAULT '{}',
    "active_deadline_seconds" INTEGER,
    "attempted_runs" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL DEFAULT 3,
    "owner_id" UUID NOT NULL,
    "cancel_reason" TEXT,
    "cancelled_by_id" UUID,
    "submitted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "jobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_runs" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "executor_id" UUID NOT NULL,
    "node" TEXT,
    "state" "job_run_state" NOT NULL DEFAULT 'LEASED',
    "leased_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "acknowledged_at" TIMESTAMPTZ(3),
    "lease_expires_at" TIMESTAMPTZ(3) NOT NULL,
    "pending_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "exit_code" INTEGER,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_kind" "error_kind",
    "log_bytes" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "job_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "executors" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "pool" TEXT NOT NULL DEFAULT 'default',
    "nodes" JSONB NOT NULL DEFAULT '[]',
    "slots" INTEGER NOT NULL DEFAULT 0,
    "cordoned" BOOLEAN NOT NULL DEFAULT false,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "executors_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_events" (
    "job_set_id" UUID NOT NULL,
    "sequence" BIGINT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "run_id" UUID,
    "kind" "job_event_kind" NOT NULL,
    "detail" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_events_pkey" PRIMARY KEY ("job_set_id","sequence")
);

-- CreateTable
CREATE TABLE "job_run_logs" (
    "run_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "tenant_id" UUID NOT NULL,
    "stream" "log_stream" NOT NULL,
    "text" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "job_run_logs_pkey" PRIMARY KEY ("run_id","sequence")
);

-- CreateTable
CREATE TABLE "json_web_key_sets" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "json_web_key_sets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "json_web_keys" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "set_id" UUID NOT NULL,
    "kid" TEXT NOT NULL,
    "alg" TEXT NOT NULL,
    "use" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "private_jwk_sealed" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "json_web_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "projects" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "identifier" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "labels" JSONB NOT NULL DEFAULT '{}',
    "state" "project_state" NOT NULL DEFAULT 'ACTIVE',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "projects_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tasks" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "template" JSONB NOT NULL,
    "digest" TEXT NOT NULL,
    "short_description" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tasks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflows" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "interface" JSONB NOT NULL,
    "closure" JSONB NOT NULL,
    "task_ids" JSONB NOT NULL,
    "digest" TEXT NOT NULL,
    "short_description" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workflows_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "launch_plans" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "workflow_id" UUID NOT NULL,
    "spec" JSONB NOT NULL,
    "expected_inputs" JSONB NOT NULL,
    "fixed_inputs" JSONB NOT NULL,
    "expected_outputs" JSONB NOT NULL,
    "state" "launch_plan_state" NOT NULL DEFAULT 'INACTIVE',
    "digest" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "launch_plans_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "blobs_tenant_id_project_id_sha256_key" ON "blobs"("tenant_id", "project_id", "sha256");

-- CreateIndex
CREATE INDEX "executions_tenant_id_project_id_domain_created_at_id_idx" ON "executions"("tenant_id", "project_id", "domain", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "executions_tenant_id_project_id_domain_phase_created_at_id_idx" ON "executions"("tenant_id", "project_id", "domain", "phase", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "executions_tenant_id_project_id_domain_name_key" ON "executions"("tenant_id", "project_id", "domain", "name");

-- CreateIndex
CREATE INDEX "node_executions_execution_id_id_idx" ON "node_executions"("execution_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "node_executions_execution_id_node_id_key" ON "node_executions"("execution_id", "node_id");

-- CreateIndex
CREATE INDEX "task_executions_execution_id_idx" ON "task_executions"("execution_id");

-- CreateIndex
CREATE UNIQUE INDEX "task_executions_node_execution_id_retry_attempt_key" ON "task_executions"("node_execution_id", "retry_attempt");

-- CreateIndex
CREATE UNIQUE INDEX "tenants_name_key" ON "tenants"("name");

-- CreateIndex
CREATE INDEX "users_username_key_idx" ON "users"("username_key");

-- CreateIndex
CREATE UNIQUE INDEX "users_tenant_id_username_key_key" ON "users"("tenant_id", "username_key");

-- CreateIndex
CREATE UNIQUE INDEX "users_tenant_id_email_key_key" ON "users"("tenant_id", "email_key");

-- CreateIndex
CREATE UNIQUE INDEX "credentials_access_key_key" ON "credentials"("access_key");

-- CreateIndex
CREATE INDEX "credentials_user_id_idx" ON "credentials"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "queues_tenant_id_name_key" ON "queues"("tenant_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "job_sets_owner_id_key" ON "job_sets"("owner_id");

-- CreateIndex
CREATE UNIQUE INDEX "job_sets_tenant_id_queue_id_name_key" ON "job_sets"("tenant_id", "queue_id", "name");

-- CreateIndex
CREATE INDEX "jobs_job_set_id_id_idx" ON "jobs"("job_set_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "jobs_queue_id_client_id_key" ON "jobs"("queue_id", "client_id");

-- CreateIndex
CREATE INDEX "job_runs_job_id_idx" ON "job_runs"("job_id");

-- CreateIndex
CREATE UNIQUE INDEX "executors_tenant_id_name_key" ON "executors"("tenant_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "json_web_key_sets_tenant_id_name_key" ON "json_web_key_sets"("tenant_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "json_web_keys_set_id_kid_key" ON "json_web_keys"("set_id", "kid");

-- CreateIndex
CREATE UNIQUE INDEX "projects_tenant_id_identifier_key" ON "projects"("tenant_id", "identifier");

-- CreateIndex
CREATE INDEX "tasks_project_id_domain_created_at_id_idx" ON "tasks"("project_id", "domain", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "tasks_tenant_id_project_id_domain_name_version_key" ON "tasks"("tenant_id", "project_id", "domain", "name", "version");

-- CreateIndex
CREATE INDEX "workflows_project_id_domain_created_at_id_idx" ON "workflows"("project_id", "domain", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "workflows_tenant_id_project_id_domain_name_version_key" ON "workflows"("tenant_id", "project_id", "domain", "name", "version");

-- CreateIndex
CREATE INDEX "launch_plans_project_id_domain_created_at_id_idx" ON "launch_plans"("project_id", "domain", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "launch_plans_workflow_id_idx" ON "launch_plans"("workflow_id");

-- CreateIndex
CREATE UNIQUE INDEX "launch_plans_tenant_id_project_id_domain_name_version_key" ON "launch_plans"("tenant_id", "project_id", "domain", "name", "version");

-- AddForeignKey
ALTER TABLE "blob_chunks" ADD CONSTRAINT "blob_chunks_blob_id_fkey" FOREIGN KEY ("blob_id") REFERENCES "blobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "executions" ADD CONSTRAINT "executions_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "node_executions" ADD CONSTRAINT "node_executions_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "task_executions" ADD CONSTRAINT "task_executions_node_execution_id_fkey" FOREIGN KEY ("node_execution_id") REFERENCES "node_executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "execution_events" ADD CONSTRAINT "execution_events_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "node_phase_counts" ADD CONSTRAINT "node_phase_counts_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "queues" ADD CONSTRAINT "queues_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_sets" ADD CONSTRAINT "job_sets_queue_id_fkey" FOREIGN KEY ("queue_id") REFERENCES "queues"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_queue_id_fkey" FOREIGN KEY ("queue_id") REFERENCES "queues"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_job_set_id_fkey" FOREIGN KEY ("job_set_id") REFERENCES "job_sets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_runs" ADD CONSTRAINT "job_runs_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_runs" ADD CONSTRAINT "job_runs_executor_id_fkey" FOREIGN KEY ("executor_id") REFERENCES "executors"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_job_set_id_fkey" FOREIGN KEY ("job_set_id") REFERENCES "job_sets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_run_logs" ADD CONSTRAINT "job_run_logs_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "job_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "json_web_keys" ADD CONSTRAINT "json_web_keys_set_id_fkey" FOREIGN KEY ("set_id") REFERENCES "json_web_key_sets"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "projects" ADD CONSTRAINT "projects_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "workflows" ADD CONSTRAINT "workflows_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "launch_plans" ADD CONSTRAINT "launch_plans_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "launch_plans" ADD CONSTRAINT "launch_plans_workflow_id_fkey" FOREIGN KEY ("workflow_id") REFERENCES "workflows"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the schema cannot say.

-- At most one version of a launch plan is active.
CREATE UNIQUE INDEX "launch_plans_one_active" ON "launch_plans" ("tenant_id", "project_id", "domain", "name") WHERE "state" = 'ACTIVE';

-- A job has at most one run that has not ended: no work runs twice at a time.
CREATE UNIQUE INDEX "job_runs_one_active" ON "job_runs" ("job_id") WHERE "ended_at" IS NULL;
CREATE INDEX "job_runs_of_executor" ON "job_runs" ("executor_id", "leased_at", "id") WHERE "ended_at" IS NULL;
CREATE INDEX "job_runs_lease_expiry" ON "job_runs" ("lease_expires_at") WHERE "ended_at" IS NULL;

-- The order in which queued jobs are taken.
CREATE INDEX "jobs_waiting" ON "jobs" ("tenant_id", "pool", "class_priority" DESC, "priority", "submitted_at", "id") WHERE "state" = 'QUEUED';

-- What the scheduler looks for.
CREATE INDEX "executions_to_advance" ON "executions" ("advance_at") WHERE "advance_at" IS NOT NULL;
CREATE INDEX "job_sets_with_news" ON "job_sets" ("owner_id") WHERE "owner_id" IS NOT NULL AND "last_sequence" > "owner_sequence";

-- What has ended has an end, and only that.
ALTER TABLE "executions" ADD CONSTRAINT "executions_ended" CHECK (("ended_at" IS NOT NULL) = ("phase" IN ('SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT')));
ALTER TABLE "node_executions" ADD CONSTRAINT "node_executions_ended" CHECK (("ended_at" IS NOT NULL) = ("phase" IN ('SUCCEEDED', 'FAILED', 'ABORTED', 'SKIPPED', 'TIMED_OUT', 'RECOVERED')));
ALTER TABLE "task_executions" ADD CONSTRAINT "task_executions_ended" CHECK (("ended_at" IS NOT NULL) = ("phase" IN ('SUCCEEDED', 'FAILED', 'ABORTED', 'RETRYABLE_FAILED')));
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_ended" CHECK (("ended_at" IS NOT NULL) = ("state" IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'PREEMPTED', 'REJECTED')));
ALTER TABLE "job_runs" ADD CONSTRAINT "job_runs_ended" CHECK (("ended_at" IS NOT NULL) = ("state" NOT IN ('LEASED', 'PENDING', 'RUNNING')));

ALTER TABLE "task_executions" ADD CONSTRAINT "task_executions_attempt" CHECK ("retry_attempt" >= 0);
ALTER TABLE "executions" ADD CONSTRAINT "executions_name" CHECK ("name" ~ '^[a-z][a-z0-9-]{0,62}$');
ALTER TABLE "projects" ADD CONSTRAINT "projects_identifier" CHECK ("identifier" ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$');
ALTER TABLE "queues" ADD CONSTRAINT "queues_priority_factor" CHECK ("priority_factor" >= 1);
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_priority" CHECK ("priority" BETWEEN 0 AND 4294967295);
ALTER TABLE "blobs" ADD CONSTRAINT "blobs_sha256" CHECK (octet_length("sha256") = 32 AND "size_bytes" >= 0);

-- Rows that move often are updated in place where they are.
ALTER TABLE "jobs" SET (fillfactor = 70);
ALTER TABLE "job_runs" SET (fillfactor = 70);
ALTER TABLE "node_executions" SET (fillfactor = 80);
ALTER TABLE "task_executions" SET (fillfactor = 80);

-- What refers to another capability's row has no relation in the models, but must not dangle.
ALTER TABLE "executions" ADD CONSTRAINT "executions_launch_plan" FOREIGN KEY ("launch_plan_id") REFERENCES "launch_plans" ("id");
ALTER TABLE "executions" ADD CONSTRAINT "executions_workflow" FOREIGN KEY ("workflow_id") REFERENCES "workflows" ("id");
ALTER TABLE "blobs" ADD CONSTRAINT "blobs_project" FOREIGN KEY ("project_id") REFERENCES "projects" ("id");
ALTER TABLE "executors" ADD CONSTRAINT "executors_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id");
