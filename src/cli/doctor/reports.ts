import type { Config } from '../../config/config.js';
import { verifyMailServer } from '../../notify/mail.js';
import { messageOf } from '../../lib/errors.js';
import { bad, good, type Finding } from './finding.js';

/** Whether reports can be sent: the mail server answers and lets us in. Nothing is sent. */
export async function checkReports(config: Config): Promise<Finding[]> {
  const { smtpUrl } = config.mail;
  const wanted = Object.entries(config.feeds).filter(([, { report }]) => report.email.length > 0);
  if (smtpUrl === undefined) {
    if (wanted.length === 0) return [good('mail', 'not configured, and nobody is to be mailed')];
    return [bad('mail', `Feed ${wanted[0]?.[0] ?? ''} is to be mailed: set mail.smtpUrl and mail.from.`)];
  }
  return [
    await verifyMailServer(smtpUrl).then(
      () => good('mail', 'the server answers and lets us in'),
      (error: unknown) =>
        bad(
          'mail',
          `${messageOf(error)}. Check mail.smtpUrl, its user and password, and that this machine may connect.`,
        ),
    ),
  ];
}
