-- AlterTable
ALTER TABLE "executions" ALTER COLUMN "user_inputs" SET DATA TYPE JSON,
ALTER COLUMN "inputs" SET DATA TYPE JSON,
ALTER COLUMN "outputs" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "node_executions" ALTER COLUMN "inputs" SET DATA TYPE JSON,
ALTER COLUMN "outputs" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "task_executions" ALTER COLUMN "outputs" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "jobs" ALTER COLUMN "spec" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "tasks" ALTER COLUMN "template" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "workflows" ALTER COLUMN "interface" SET DATA TYPE JSON,
ALTER COLUMN "closure" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "launch_plans" ADD COLUMN     "input_order" TEXT[] DEFAULT ARRAY[]::TEXT[],
ALTER COLUMN "spec" SET DATA TYPE JSON,
ALTER COLUMN "expected_inputs" SET DATA TYPE JSON,
ALTER COLUMN "fixed_inputs" SET DATA TYPE JSON,
ALTER COLUMN "expected_outputs" SET DATA TYPE JSON;
