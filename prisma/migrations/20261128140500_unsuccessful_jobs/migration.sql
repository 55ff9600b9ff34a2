-- For lists of the jobs of a queue that failed, were cancelled, preempted or rejected. They are few beside those that
-- succeeded, so these lists would otherwise read the whole queue.
CREATE INDEX "jobs_unsuccessful" ON "jobs" ("queue_id", "id" DESC)
  WHERE "state" IN ('FAILED', 'CANCELLED', 'PREEMPTED', 'REJECTED');
