import { join } from 'node:path'
import { type AccessLog, openAccessLog } from './adapters/access-log.ts'
import { certificateStore } from './adapters/cert-store.ts'
import { httpProbe } from './adapters/http-probe.ts'
import { claimRunDir, type Instance } from './adapters/instance.ts'
import { createSlotSockets } from './adapters/listeners.ts'
import { createNginxFiles, readNginxFeatures } from './adapters/nginx-files.ts'
import { createOutput } from './adapters/output.ts'
import { childrenOf, portsOfGroup } from './adapters/procfs.ts'
import { receiveSignals } from './adapters/signals.ts'
import { createSpawn } from './adapters/spawn.ts'
import { type LocalServer, serveAdmin, serveHealth } from './admin/server.ts'
import { pause, systemClock } from './base/clock.ts'
import { exitCode, messageOf, OperatorError } from './base/errors.ts'
import { createLog, type Log } from './base/log.ts'
import { formatProblems, type Problem } from './config/report.ts'
import type { Config } from './config/schema.ts'
import type { CertificateFiles } from './domain/certificate.ts'
import { exitCodeOf } from './domain/exit.ts'
import type { HealthFacts } from './domain/health.ts'
import type { NginxFeatures } from './domain/nginx-model.ts'
import type { WorkerAddress } from './domain/ports.ts'
import { bindFront, type Front } from './front.ts'
import { healthSocketName, modelNginx } from './nginx-model.ts'
import { chooseServed } from './services/certificates.ts'
import { createCommandQueue } from './services/commands.ts'
import { createNginx, type Nginx } from './services/nginx.ts'
import { createRotation } from './services/rotation.ts'
import { createWorkerPool, type WorkerPool } from './services/worker-pool.ts'
import { resolveSettings, type Settings, type World } from './settings.ts'

/** Keys whose change takes a restart: they are bound or owned by what goes on running. */
const fixedKeys = ['http_port', 'https_port', 'bind_addresses', 'run_dir', 'log_format', 'log_level', 'health'] as const
/** Part of the stop's time in which workers still serve while nginx finishes its requests. */
const nginxShare = 0.6
/** Kept back of the stop's time, for the last signals and records. */
const reserveMs = 300
const quickStopMs = 1000
/** How long the first ready worker waits for the others before nginx starts. */
const siblingsMs = 100

export interface SupervisorOptions {
  config: Config
  world: World
  /** Reads the configuration again, for a reload. */
  reloadConfig: () => { ok: true; config: Config } | { ok: false; problems: Problem[] }
}

/** Runs everything until it is told to stop; settles with the exit code. */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  const stdout = createOutput(1)
  const stderr = createOutput(2)
  const { log_format: format, log_level: level } = options.config
  const log = createLog({ format, level, now: systemClock.now, write: line => stderr.write(line) })
  try {
    return await superviseUntilStopped({ ...options, log, stdout, stderr })
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    log.error(error.message, { fix: error.fix })
    return error.code
  } finally {
    await Promise.all([stdout.end(), stderr.end()])
  }
}

type StopReason = { mode: 'graceful' | 'quick'; code: number }

interface Running extends SupervisorOptions {
  log: Log
  stdout: ReturnType<typeof createOutput>
  stderr: ReturnType<typeof createOutput>
}

async function superviseUntilStopped(running: Running): Promise<number> {
  const { log, world } = running
  const clock = systemClock
  let settings = settle(running.config, world)
  let isDraining = false
  let isStopping = false
  let instance: Instance | undefined
  let pool: WorkerPool | undefined
  let nginx: Nginx | undefined
  let features: NginxFeatures | undefined
  let front: Front = { http: [], https: [] }
  let certificate: CertificateFiles | undefined
  let accessLog: AccessLog | undefined
  const servers: LocalServer[] = []

  let requestStop: (reason: StopReason) => void = () => {}
  const stopRequested = new Promise<StopReason>(resolve => {
    requestStop = resolve
  })
  let hurry = () => {}
  const hurried = new Promise<void>(resolve => {
    hurry = resolve
  })

  const commands = createCommandQueue(
    {
      reload: () => reload(),
      roll: () => roll(),
      async reopenLogs() {
        nginx?.reopenLogs()
      },
      stop(mode) {
        if (mode === 'quick') hurry()
        requestStop({ mode, code: exitCode.ok })
      },
    },
    log,
  )
  const releaseSignals = receiveSignals(commands.push)

  const rotation = createRotation(async () => {
    if (nginx?.isStarted() && !isStopping) await nginx.apply(model(settings, pool?.rotation() ?? []))
  }, log)

  const health = (): HealthFacts => {
    const workers = pool?.status() ?? []
    return {
      isNginxAlive: nginx?.isAlive() ?? false,
      isDraining,
      readyWorkers: pool && workers.filter(worker => worker.state === 'serving' || worker.state === 'replacing').length,
      totalWorkers: workers.length,
    }
  }

  function model(of: Settings, addresses: WorkerAddress[]) {
    if (!features || !accessLog) throw new Error('cannot model nginx before the start')
    return modelNginx({
      settings: of,
      world,
      features,
      front,
      certificate,
      accessLogPath: accessLog.path,
      servers: addresses,
    })
  }

  async function loadCertificate(of: Settings): Promise<CertificateFiles | undefined> {
    if (of.config.https === 'off') return undefined
    const served = await chooseServed(certificateStore, of.certificates, { clock, log })
    // a folder of its own: a pair is never half replaced under a running nginx
    return certificateStore.keepCopy(served.files, join(of.config.run_dir, 'certificates', served.certificate.serial))
  }

  async function start(): Promise<void> {
    const { config } = settings
    instance = await claimRunDir(config.run_dir, names =>
      log.warn('ended what a killed monohull had left running', { processes: names.join(',') }),
    )
    const claimed = instance
    front = bindFront(config)
    const surroundings = {
      clock,
      log,
      random: Math.random,
      spawn: createSpawn({
        stdout: running.stdout,
        stderr: running.stderr,
        format: config.log_format,
        now: clock.now,
        onChange: claimed.note,
      }),
    }
    if (settings.plan) {
      pool = createWorkerPool(
        {
          ...surroundings,
          sockets: createSlotSockets({ uid: undefined, gid: settings.nginxUser?.gid }),
          probe: httpProbe,
          runDir: config.run_dir,
          portsOf: portsOfGroup,
          onRotation: rotation.changed,
          onDeath(death) {
            if (settings.config.app.on_failure !== 'exit' || !nginx?.isStarted()) return false
            requestStop({ mode: 'graceful', code: exitCodeOf(death.exit) })
            return true
          },
        },
        settings.plan,
      )
    }
    // the workers' boot takes the longest: everything else happens meanwhile
    const booted = pool?.start()
    log.info('starting', { app: describeApp(settings), workers: settings.plan?.count, user: settings.appUser?.name })
    const [readFeatures, openedLog, chosen] = await Promise.all([
      readNginxFeatures(),
      openAccessLog(join(config.run_dir, 'access.fifo')),
      loadCertificate(settings),
    ])
    features = readFeatures
    accessLog = openedLog
    certificate = chosen
    nginx = createNginx({
      ...surroundings,
      files: createNginxFiles({ source: join(world.home, 'nginx'), target: join(config.run_dir, 'nginx') }),
      processes: { childrenOf },
      descriptors: [...front.http, ...front.https].map(socket => socket.descriptor),
      env: { PATH: world.env.PATH ?? '', TZ: world.env.TZ ?? '' },
    })
    const healthOptions = { livePath: config.health.live_path, readyPath: config.health.ready_path, facts: health }
    const [, ...opened] = await Promise.all([
      nginx.check(model(settings, pool?.addresses() ?? [])),
      serveHealth(join(config.run_dir, healthSocketName), settings.nginxUser?.gid, healthOptions),
      serveAdmin(join(config.run_dir, 'admin.sock'), {
        health: healthOptions,
        status: () => ({ workers: pool?.status() ?? [], ...health() }),
      }),
    ])
    servers.push(...opened)
    const result = await booted
    if (isStopping) return
    if (result && !result.ok) {
      throw new OperatorError(
        `every worker failed at its first start; the last one, ${result.death.worker}, printed: ${result.death.lastLines.join('\n') || '(nothing)'}`,
        {
          fix: 'mend the app; its output is above',
          code: exitCodeOf(result.death.exit) || 1,
        },
      )
    }
    await pool?.settled(siblingsMs)
    const known = pool?.rotation() ?? []
    await nginx.start(model(settings, known))
    if (pool && pool.rotation().length !== known.length) await rotation.changed()
    if (isStopping) return
    instance.update({
      httpPort: front.http[0]?.port,
      httpsPort: front.https[0]?.port,
      livePath: config.health.live_path,
      isServing: true,
    })
    log.info('serving', {
      http: front.http.map(describeSocket).join(','),
      https: front.https.map(describeSocket).join(',') || undefined,
    })
  }

  async function reload(): Promise<void> {
    const loaded = running.reloadConfig()
    const resolved = loaded.ok ? resolveSettings(loaded.config, world) : loaded
    if (!resolved.ok) return abandonReload(formatProblems(resolved.problems))
    const next = resolved.settings
    const fixed = fixedKeys.filter(key => JSON.stringify(next.config[key]) !== JSON.stringify(settings.config[key]))
    if ((next.config.https === 'off') !== (settings.config.https === 'off'))
      return abandonReload('https cannot change between off and on without a restart')
    if (fixed.length > 0) return abandonReload(`${fixed.join(', ')} cannot change without a restart`)
    if ((next.plan === undefined) !== (pool === undefined))
      return abandonReload('an app cannot become a folder of files, nor the other way round, without a restart')
    const previous = { settings, certificate }
    try {
      certificate = await loadCertificate(next)
      await nginx?.check(model(next, pool?.addresses() ?? []))
      if (next.plan && pool) {
        const result = await pool.roll(next.plan)
        if (!result.ok)
          throw new OperatorError(`${result.reason}${result.lastLines.map(line => `\n${line}`).join('')}`, {
            fix: 'mend the app',
          })
      }
      settings = next
      await nginx?.apply(model(settings, pool?.rotation() ?? []))
      log.info('reload finished')
    } catch (error) {
      settings = previous.settings
      certificate = previous.certificate
      abandonReload(messageOf(error))
    }
  }

  function abandonReload(reason: string): void {
    log.error('reload abandoned, what ran before goes on', { reason })
  }

  async function roll(): Promise<void> {
    const result = pool ? await pool.roll(pool.plan()) : ({ ok: true } as const)
    if (result.ok) log.info('workers replaced')
    else
      log.error('rolling restart abandoned, the old workers stay', {
        reason: result.reason,
        last_lines: result.lastLines,
      })
  }

  async function stop(reason: StopReason): Promise<void> {
    isStopping = true
    isDraining = true
    const { config } = settings
    const deadline = clock.now() + config.stop_timeout - reserveMs
    log.info('stopping', { mode: reason.mode, timeout_ms: config.stop_timeout })
    if (reason.mode === 'graceful' && nginx?.isStarted()) {
      await Promise.race([pause(clock, config.stop_delay), hurried])
      const ended = nginx.stop('graceful', deadline - clock.now())
      await Promise.race([ended, pause(clock, (deadline - clock.now()) * nginxShare), hurried])
      const drained = Promise.all([pool?.stop(Math.min(config.app.graceful_timeout, deadline - clock.now())), ended])
      await Promise.race([drained, hurried])
    }
    await Promise.all([nginx?.stop('fast', quickStopMs), pool?.stop(quickStopMs)])
  }

  let reason: StopReason
  let failure: unknown
  try {
    const begun = start().then(() => stopRequested)
    reason = await Promise.race([begun, stopRequested])
  } catch (error) {
    failure = error
    reason = { mode: 'quick', code: exitCode.software }
  }
  await stop(reason)
  for (const server of servers) await server.close()
  await accessLog?.close()
  for (const socket of [...front.http, ...front.https]) socket.close()
  instance?.release()
  releaseSignals()
  if (failure) throw failure
  log.info('stopped', { code: reason.code })
  return reason.code
}

function settle(config: Config, world: World): Settings {
  const resolved = resolveSettings(config, world)
  if (resolved.ok) return resolved.settings
  throw new OperatorError(formatProblems(resolved.problems), { fix: 'each is named above; monohull check looks again' })
}

function describeApp({ content, plan }: Settings): string {
  return content.kind === 'files' ? `static files in ${content.root}` : `${plan?.argv.join(' ')} (${content.origin})`
}

function describeSocket({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
