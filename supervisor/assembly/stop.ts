import { pause, systemClock } from '../base/clock.ts'
import type { Parts, StopReason } from './parts.ts'

/** Part of the stop's time in which workers still serve while nginx finishes its requests. */
const nginxShare = 0.6
/** Kept back of the stop's time, for the last signals and records. */
const reserveMs = 300
const quickStopMs = 1000
/** Part of the stop's time, less stop_delay, that before_stop may take. */
const hookShare = 0.5

/**
 * The order of a stop, within stop_timeout: readiness off, before_stop, stop_delay for balancers to notice, nginx finishes
 * its requests while workers still serve, then the workers drain. Init commands and processes drain meanwhile. `hurried`
 * cuts it short. Settles when nothing of it runs any more.
 */
export async function stop(parts: Parts, reason: StopReason, hurried: Promise<void>): Promise<void> {
  const { settings, nginx, pools, processes, hooks, log } = parts
  const { config } = settings
  const deadline = systemClock.monotonic() + config.stop_timeout - reserveMs
  const left = () => Math.max(0, deadline - systemClock.monotonic())
  parts.isDraining = true
  parts.upstreams?.stop()
  log.info('stopping', { mode: reason.mode, timeout_ms: config.stop_timeout })
  for (const cancel of parts.schedules.splice(0)) cancel()
  await parts.watcher?.close()
  if (reason.mode === 'graceful') {
    const inTime: Grace = ({ gracefulTimeoutMs }) => Math.min(gracefulTimeoutMs, left())
    if (nginx?.isStarted()) {
      await Promise.race([runBeforeStop(parts, (left() - config.stop_delay) * hookShare, reason.code), hurried])
      await Promise.race([pause(systemClock, config.stop_delay), hurried])
    }
    // these wait for no request
    const alone = Promise.all([parts.init?.stop(left()), stopAll(processes, inTime)])
    if (nginx?.isStarted()) {
      const ended = nginx.stop('graceful', left())
      await Promise.race([ended, pause(systemClock, left() * nginxShare), hurried])
      await Promise.race([Promise.all([stopAll(pools, inTime), ended]), hurried])
    }
    await Promise.race([alone, hurried])
  }
  const quickly: Grace = () => quickStopMs
  // first: it would answer 502 for workers that end before it
  await nginx?.stop('fast', quickStopMs)
  await Promise.all([parts.init?.stop(quickStopMs), stopAll(pools, quickly), stopAll(processes, quickly)])
  if (reason.mode === 'graceful') await Promise.race([hooks?.settled(), pause(systemClock, left()), hurried])
  await hooks?.end()
  parts.acme?.close()
  await parts.dynamicRoutes?.close()
  for (const server of parts.servers) await server.close()
  await parts.accessLog?.close()
  for (const socket of [...parts.front.http, ...parts.front.https]) socket.close()
  parts.busySocket?.close()
  parts.instance?.release()
}

async function runBeforeStop({ hooks, settings }: Parts, limitMs: number, exitCode: number): Promise<void> {
  await hooks?.attempt('before_stop', settings.hooks, { facts: { exitCode }, limitMs })
}

type Grace = (plan: { gracefulTimeoutMs: number }) => number

async function stopAll(pools: Parts['pools'] | Parts['processes'], graceOf: Grace): Promise<void> {
  await Promise.all([...pools.values()].map(pool => pool.stop(graceOf(pool.plan()))))
}
