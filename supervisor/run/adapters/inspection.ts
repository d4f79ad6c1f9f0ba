import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { listenOnTcp } from '../../base/adapters/tcp-server.ts'
import { asOperatorError, messageOf, OperatorError } from '../../base/errors.ts'
import type { World } from '../../base/world.ts'
import { certificateStore } from '../../certificates/adapters/store.ts'
import { describeTimeLeft, expiryStage } from '../../certificates/expiry.ts'
import { namesWithoutCertificate, searchSettings } from '../../certificates/kept.ts'
import { findTrusted } from '../../certificates/search.ts'
import type { Problem } from '../../config/report.ts'
import { misspeltVariables } from '../../config/variables.ts'
import { problemsOfClientCertificates } from '../../front/client-authority-watch.ts'
import { bindFront, closeFront } from '../../front/front.ts'
import { noteOfBodies } from '../../front/spool-note.ts'
import { expectUnclaimed } from '../../logs/adapters/directory-claim.ts'
import { expectLogDirectory } from '../../logs/adapters/log-directory.ts'
import { otlpFix, otlpSettings } from '../../logs/otlp/settings.ts'
import { createNginxFiles } from '../../nginx/adapters/files.ts'
import { complaintFix, nameOrigins } from '../../nginx/complaint.ts'
import { findMissingScript } from '../../processes/adapters/missing-script.ts'
import { nextRuns } from '../../programs/jobs/preview.ts'
import { missingFallbacks } from '../../routes/adapters/fallbacks.ts'
import { previewModel } from '../../site/preview.ts'
import { renderConfiguration } from '../../site/render.ts'
import type { Settings } from '../../site/settings.ts'
import { isName } from '../../upstreams/names.ts'
import { unroutedUpstreams } from '../../upstreams/upstreams.ts'
import { unroutedApps } from '../../workers/apps.ts'
import { findRunning, makeRunDir } from './instance.ts'
import { expectTrustedDirectory } from './trusted-directory.ts'

/** What an inspection found. */
export interface Findings {
  /** What prevents the settings from running on this machine. */
  problems: Problem[]
  /** What probably is a mistake, or will become a problem. */
  warnings: string[]
  /** What is good to know. */
  notes: string[]
}

/** Findings for these settings on this machine. */
export async function inspect(settings: Settings, world: World): Promise<Findings> {
  const { config } = settings
  const findings: Findings = { problems: [], warnings: [], notes: [] }
  const { problems, warnings, notes } = findings
  const attempt = async (key: string, act: () => unknown) => {
    try {
      await act()
    } catch (thrown) {
      const error = asOperatorError(thrown)
      if (!(error instanceof OperatorError)) throw error
      problems.push({ key, source: 'this machine', value: undefined, problem: error.message, fix: error.fix })
    }
  }

  for (const name of misspeltVariables(world.env))
    warnings.push(`the variable ${name} is ignored: is it meant for monohull?`)
  for (const name of unroutedApps(settings)) warnings.push(`no route leads to the app ${name}`)
  for (const name of unroutedUpstreams(config)) warnings.push(`no route leads to the upstream ${name}`)
  for (const { key, path } of missingFallbacks(config))
    warnings.push(`${key}: ${path} does not exist; requests for missing files get 404`)
  inspectScripts(settings, findings)
  notes.push(...nextRuns(settings, Date.now()))
  let isRunDirWritable = false
  await attempt('run_dir', () => {
    makeRunDir(config.run_dir)
    isRunDirWritable = true
  })
  await attempt('state_dir', () => expectTrustedDirectory({ key: 'state_dir', path: config.state_dir }))
  const { files } = config.logs
  if (files) {
    await attempt('logs.files.directory', async () => {
      expectTrustedDirectory({ key: 'logs.files.directory', path: files.directory })
      expectLogDirectory(files.directory)
      await expectUnclaimed(files.directory, config.run_dir)
    })
  }
  const running = findRunning(config.run_dir)
  if (running !== undefined)
    notes.push(`monohull is already running in ${config.run_dir} (pid ${running}): ports were not checked`)
  else {
    await attempt('http_port, https_port', () => {
      closeFront(bindFront(config))
    })
    for (const key of ['metrics', 'admin'] as const) {
      const { port, bind } = config[key]
      if (port !== undefined) await attempt(`${key}.port`, async () => (await listenOnTcp({ key, bind, port })).close())
    }
  }
  if (!certificateStore.isWritable(config.state_dir)) {
    warnings.push(
      `state_dir ${config.state_dir} is not writable: the local CA and its certificate will be lost on restart`,
    )
  }
  if (config.https !== 'off') await attempt('cert_dir', () => inspectCertificates(settings, findings))
  inspectClientCertificates(settings, findings)
  const { refusal } = config.logs.otlp ? otlpSettings(world.env) : {}
  if (refusal !== undefined) warnings.push(`telemetry is not exported by OTLP: ${refusal}; ${otlpFix}`)
  await warnOfUnknownNames(settings, warnings)
  if (isRunDirWritable) await attempt('nginx', async () => warnings.push(...(await testNginx(settings, world))))
  return findings
}

/** Adds the scripts that do not exist. They are only warnings where a command runs before, which may create them. */
function inspectScripts({ apps, processes, jobs, init, hooks }: Settings, { problems, warnings }: Findings): void {
  const isPrepared = init.length > 0 || hooks.before_start !== undefined
  const programs = [
    ...apps.flatMap(({ name, plan }) => (plan ? { ...plan, key: name === 'app' ? 'app' : `apps.${name}` } : [])),
    ...processes.map(plan => ({ ...plan, key: `processes.${plan.name}` })),
    ...jobs.map(plan => ({ ...plan, key: `jobs.${plan.name}` })),
  ]
  for (const { key, argv, directory } of programs) {
    const value = findMissingScript(argv, directory)
    if (value === undefined) continue
    const problem = `does not exist in ${directory}`
    if (isPrepared) warnings.push(`${key}.command: ${value} ${problem}; init or before_start must create it`)
    else
      problems.push({
        ...{ key: `${key}.command`, source: 'this machine', value, problem },
        fix: 'correct the path, or the directory that it is relative to',
      })
  }
}

/** Adds a warning for each upstream server whose name does not resolve. Startup does not need these servers. */
async function warnOfUnknownNames({ config }: Settings, warnings: string[]): Promise<void> {
  const servers = Object.values(config.upstreams).flatMap(upstream => upstream.servers)
  const names = new Set(servers.map(({ host }) => host).filter(isName))
  if (names.size === 0) return
  const { createResolver } = await import('../../upstreams/adapters/resolver.ts')
  const resolver = createResolver()
  await Promise.all(
    [...names].map(name =>
      resolver.addressesOf(name).catch(error => {
        warnings.push(`cannot resolve ${name}: ${messageOf(error)}; it gets no requests until it resolves`)
      }),
    ),
  )
}

/** Adds an unusable certificate to the problems. A missing one is only a note, unless tls.required is set. */
function inspectCertificates(settings: Settings, found: Findings): void {
  const { config } = settings
  const now = systemClock.now()
  const { certificates: usable, problems } = findTrusted(searchSettings(settings), {
    store: certificateStore,
    now,
  })
  for (const { problem, fix } of problems)
    found.problems.push({ key: 'cert_dir', source: config.cert_dir, value: undefined, problem, fix })
  for (const { files, certificate } of usable) {
    found.notes.push(`certificate ${files.chain} for ${certificate.names.join(', ')}`)
    found.warnings.push(...certificate.remarks)
    if (expiryStage(certificate, now) > 0)
      found.warnings.push(`certificate ${files.chain} expires in ${describeTimeLeft(certificate.notAfter - now)}`)
  }
  if (usable.length > 0) {
    for (const name of namesWithoutCertificate(usable, settings))
      found.warnings.push(`no certificate covers ${name}: clients get one for another name, and reject it`)
    return
  }
  if (config.tls.required && problems.length === 0) {
    throw new OperatorError(`tls.required is set, but ${config.cert_dir} contains no certificate`, {
      fix: 'mount fullchain.pem and privkey.pem there, or unset tls.required',
    })
  }
  if (problems.length === 0) found.notes.push(`no certificate in ${config.cert_dir}: the local CA will issue one`)
}

/** Adds the reasons why good client certificates are rejected, or soon will be. */
function inspectClientCertificates({ frontFiles }: Settings, found: Findings): void {
  for (const { kind, key, problem, fix } of problemsOfClientCertificates(
    frontFiles.clientCertificates,
    systemClock.now(),
  )) {
    if (kind === 'expires') found.warnings.push(`${problem}; ${fix}`)
    else
      found.problems.push({
        ...{ key: `tls.client_certificates.${key}`, source: 'this machine', value: undefined },
        ...{ problem, fix },
      })
  }
}

/** Body sizes of the whole front and of routes that store bodies. */
function bodySizes({ max_body_size, routes }: Settings['config']): string[] {
  const own = routes.filter(({ target }) => 'spool' in target && target.spool.storesBodies)
  return [max_body_size, ...own.flatMap(({ settings }) => settings.max_body_size ?? [])]
}

/** Warnings of nginx's own test of the rendered configuration, run in a separate directory beside a running instance. */
async function testNginx(settings: Settings, world: World): Promise<string[]> {
  const { config } = settings
  const model = await previewModel(settings, world)
  const bodies = noteOfBodies({
    medium: settings.spoolMedium,
    spool: model.spool,
    sizes: bodySizes(config),
    requests: model.front.limits.requests * settings.nginxProcesses,
  })
  // nginx would resolve the names itself, and fail for one that does not resolve yet
  const upstreams = model.upstreams.map(upstream => ({
    ...upstream,
    servers: upstream.servers.map((server, index) => ({ ...server, address: `127.0.0.1:${index + 1}` })),
  }))
  // another check may run at the same time
  const target = join(config.run_dir, `check-${process.pid}`)
  const files = createNginxFiles({ source: join(world.home, 'nginx'), target })
  const rendered = renderConfiguration({
    ...model,
    upstreams,
    workDir: target,
    spool: { ...model.spool, directory: target },
    // their directories are made at startup
    accessLog: model.accessLog && { ...model.accessLog, files: [] },
    traces: { ...model.traces, spanFile: model.traces.spanFile && '/dev/null' },
    // the ports have their own check, and nginx would report them once more
    http: [{ address: '127.0.0.1', port: 8080 }],
    https: [],
    certificates: undefined,
    httpMode: 'serve',
  })
  try {
    const result = await files.test(files.stage(rendered.files), [])
    if (result.ok) {
      const warnings = nameOrigins(result.warnings, rendered).map(warning => `nginx warns: ${warning}`)
      return bodies === undefined ? warnings : [bodies, ...warnings]
    }
    throw new OperatorError(`nginx refuses the configuration: ${nameOrigins(result.output, rendered).join('\n    ')}`, {
      fix: complaintFix(result.output, rendered),
    })
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}
