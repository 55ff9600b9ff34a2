import { BlockList, isIP } from 'node:net';
import { list, readEnvironment, text, url, whole } from './environment.ts';

const networks = list
  .refine(
    (parts) => parts.every(isNetwork),
    'must be a list of IP addresses and networks, such as 10.1.0.0/16',
  )
  .transform((parts) => {
    const allowed = new BlockList();
    for (const part of parts) {
      const [address = '', bits] = part.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      allowed.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
    }
    return allowed;
  });

function isNetwork(part: string): boolean {
  const [address = '', bits, ...more] = part.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The variables that the scheduler reads in addition to the base and the control plane. */
export const schedulerVariables = {
  SMTP_URL: url(/^smtps?$/, 'smtps://user:password@mail.example.com:465').optional(),
  NOTIFICATION_SENDER: text(320).default('slipway@localhost'),
  NOTIFICATION_SUBJECT: text(1000).default(
    'Notice: Execution "{{ workflow.name }}" has {{ phase }} in "{{ domain }}".',
  ),
  NOTIFICATION_TEXT: text(10_000).default(
    'Execution "{{ workflow.name }} [{{ name }}]" has {{ phase }} in "{{ project }}/{{ domain }}". {{ error }}',
  ),
  WEBHOOK_ALLOWED_NETWORKS: networks.optional(),
  CACHE_UNUSED_DAYS: whole(0, 36_500).default(90),
  CACHE_ENTRY_LIMIT: whole(0, 100_000_000).default(100_000),
  SHARE_SAMPLE_SECONDS: whole(1, 3600).default(30),
  SHARE_SAMPLE_DAYS: whole(1, 3650).default(7),
  BLOB_UNUSED_DAYS: whole(0, 36_500).default(0),
  JOB_KEEP_HOURS: whole(0, 1_000_000).default(168),
  JOB_EVENT_KEEP_HOURS: whole(0, 1_000_000).default(336),
  RUN_LOG_KEEP_HOURS: whole(0, 1_000_000).default(336),
};

const settings = readEnvironment(schedulerVariables);

export const schedulerConfig = {
  /** Undefined: no e-mails are sent. */
  smtpUrl: settings.SMTP_URL,
  notificationSender: settings.NOTIFICATION_SENDER,
  notificationSubject: settings.NOTIFICATION_SUBJECT,
  notificationText: settings.NOTIFICATION_TEXT,
  /** Networks that webhooks may reach although they are not public. */
  webhookAllowedNetworks: settings.WEBHOOK_ALLOWED_NETWORKS ?? new BlockList(),
  /** How often the shares of queues are stored, and how long they are kept. */
  shareSamples: { everySeconds: settings.SHARE_SAMPLE_SECONDS, days: settings.SHARE_SAMPLE_DAYS },
  /** How large the cache of outputs may become. 0 means no limit. */
  cacheLimits: { unusedDays: settings.CACHE_UNUSED_DAYS, entries: settings.CACHE_ENTRY_LIMIT },
  /** After how many days files are deleted that nothing names. 0 means never. */
  unusedBlobDays: settings.BLOB_UNUSED_DAYS,
  /** For how long jobs, events and logs are kept, in hours. 0 means for ever. */
  jobKeeping: {
    jobHours: settings.JOB_KEEP_HOURS,
    eventHours: settings.JOB_EVENT_KEEP_HOURS,
    logHours: settings.RUN_LOG_KEEP_HOURS,
  },
} as const;
