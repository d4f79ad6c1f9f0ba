interface StopConfig {
  stop_delay: number
  stop_timeout: number
  app?: Draining | undefined
  apps?: Record<string, Draining> | undefined
  processes: Record<string, Draining>
}

interface Draining {
  graceful_timeout?: number | undefined
}

/** Problem of a timeout, with its fix. */
export interface StopProblem {
  path: string[]
  message: string
  params?: { fix: string }
}

/** Problems of timeouts that exceed the time of a stop. */
export function describeStopProblems(config: StopConfig): StopProblem[] {
  const { stop_delay: delayMs, stop_timeout: timeoutMs, app, apps = {}, processes } = config
  if (delayMs >= timeoutMs)
    return [{ path: ['stop_delay'], message: 'expected less than stop_timeout, which includes it' }]
  const named = (section: string, of: Record<string, Draining>) =>
    Object.entries(of).map(([name, one]) => ({ path: [section, name], ...one }))
  const all = [...(app ? [{ path: ['app'], ...app }] : []), ...named('apps', apps), ...named('processes', processes)]
  return all
    .filter(one => (one.graceful_timeout ?? 0) > timeoutMs - delayMs)
    .map(({ path }) => ({
      path: [...path, 'graceful_timeout'],
      message: 'expected at most stop_timeout minus stop_delay',
      params: { fix: 'lower it, or raise stop_timeout and the time that docker stop waits' },
    }))
}
