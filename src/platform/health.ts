import { ServiceError } from '#contract/errors.ts';

/** How well a service, or something it depends on, can do its job. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

export interface CheckResult {
  status: HealthStatus;
  /** For people: why it is not healthy, and figures worth seeing when it is. */
  detail?: string;
}

/** Asks one dependency for its true state. A check that throws or takes longer than 5 s counts as unhealthy. */
export type Check = () => CheckResult | Promise<CheckResult>;

export interface HealthReport {
  service: string;
  status: HealthStatus;
  uptime_seconds: number;
  checks: Record<string, CheckResult>;
}

const CHECK_TIMEOUT_MS = 5000;
const RANK: HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];

/** A dependency whose failure hurts but does not stop the service: unhealthy there is degraded here. */
export function optional(check: Check): Check {
  return async () => {
    const result = await settle(check);
    return result.status === 'unhealthy' ? { ...result, status: 'degraded' } : result;
  };
}

/** Another service that answers a call: `not_found` is an answer. Without it this service does less, not nothing. */
export function peerAnswers(call: () => Promise<unknown>): Check {
  return optional(async () => {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === 'not_found')) throw error;
    }
    return { status: 'healthy' };
  });
}

async function settle(check: Check): Promise<CheckResult> {
  const late = Promise.withResolvers<CheckResult>();
  const timer = setTimeout(() => late.resolve({ status: 'unhealthy', detail: 'no answer in 5 s' }), CHECK_TIMEOUT_MS);
  try {
    return await Promise.race([late.promise, Promise.resolve().then(check)]);
  } catch (error) {
    return { status: 'unhealthy', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs all checks side by side: the report is as bad as its worst check.
 *
 * @param startedAt when the service began, by `performance.now`
 */
export async function reportHealth(
  service: string,
  startedAt: number,
  checks: Record<string, Check>,
): Promise<HealthReport> {
  const names = Object.keys(checks);
  const results = await Promise.all(names.map((name) => settle(checks[name])));
  const worst = Math.max(0, ...results.map((result) => RANK.indexOf(result.status)));
  return {
    service,
    status: RANK[worst],
    uptime_seconds: Math.floor((performance.now() - startedAt) / 1000),
    checks: Object.fromEntries(names.map((name, i) => [name, results[i]])),
  };
}
