import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../base/adapters/system-clock.ts'
import { asOperatorError, messageOf, OperatorError } from '../../base/errors.ts'
import type { World } from '../../base/world.ts'
import { certificateStore } from '../../certificates/adapters/store.ts'
import { namesWithoutCertificate } from '../../certificates/kept.ts'
import { findMounted } from '../../certificates/search.ts'
import type { Problem } from '../../config/report.ts'
import { bindFront, closeFront } from '../../front/front.ts'
import { createNginxFiles } from '../../nginx/adapters/files.ts'
import { complaintFix, nameOrigins } from '../../nginx/complaint.ts'
import { missingFallbacks } from '../../routes/adapters/fallbacks.ts'
import { previewModel } from '../../site/preview.ts'
import { renderConfiguration } from '../../site/render.ts'
import type { Settings } from '../../site/settings.ts'
import { isName } from '../../upstreams/names.ts'
import { unroutedUpstreams } from '../../upstreams/upstreams.ts'
import { unroutedApps } from '../../workers/apps.ts'
import { findRunning, makeRunDir } from './instance.ts'

/** Problems that would keep these settings from running on this machine; what is only worth a note goes to `notes`. */
export async function inspect(settings: Settings, world: World, notes: string[]): Promise<Problem[]> {
  const { config } = settings
  const problems: Problem[] = []
  const attempt = async (key: string, act: () => unknown) => {
    try {
      await act()
    } catch (thrown) {
      const error = asOperatorError(thrown)
      if (!(error instanceof OperatorError)) throw error
      problems.push({ key, source: 'this machine', value: undefined, problem: error.message, fix: error.fix })
    }
  }

  for (const name of unroutedApps(settings)) notes.push(`no route leads to the app ${name}`)
  for (const name of unroutedUpstreams(config)) notes.push(`no route leads to the upstream ${name}`)
  for (const { key, path } of missingFallbacks(config))
    notes.push(`${key}: there is no file ${path}; where none is found, the answer is 404`)
  let isRunDirWritable = false
  await attempt('run_dir', () => {
    makeRunDir(config.run_dir)
    isRunDirWritable = true
  })
  const running = findRunning(config.run_dir)
  if (running !== undefined)
    notes.push(`one instance runs already in ${config.run_dir} (pid ${running}): ports were not tried`)
  else {
    await attempt('http_port, https_port', () => {
      closeFront(bindFront(config))
    })
  }
  if (!certificateStore.isWritable(config.state_dir)) {
    notes.push(
      `state_dir ${config.state_dir} is not writable: the local CA and its certificate will not outlive a restart`,
    )
  }
  if (config.https !== 'off') await attempt('cert_dir', () => inspectCertificates(settings, { problems, notes }))
  await noteUnknownNames(settings, notes)
  if (isRunDirWritable) await attempt('nginx', async () => notes.push(...(await testNginx(settings, world))))
  return problems
}

/** A start does without the servers whose name leads nowhere, so it is worth a note only. */
async function noteUnknownNames({ config }: Settings, notes: string[]): Promise<void> {
  const servers = Object.values(config.upstreams).flatMap(upstream => upstream.servers)
  const names = new Set(servers.map(({ host }) => host).filter(isName))
  if (names.size === 0) return
  const { createResolver } = await import('../../upstreams/adapters/resolver.ts')
  const resolver = createResolver()
  await Promise.all(
    [...names].map(name =>
      resolver.addressesOf(name).catch(error => {
        notes.push(`cannot look up ${name}: ${messageOf(error)}; it gets no requests until it is found`)
      }),
    ),
  )
}

/** A bad certificate is a problem; none at all is only worth a note, unless tls.required. */
function inspectCertificates(settings: Settings, found: { problems: Problem[]; notes: string[] }): void {
  const { config, certificates } = settings
  const { usable, problems } = findMounted(certificateStore, certificates.certDir, systemClock.now())
  for (const { problem, fix } of problems)
    found.problems.push({ key: 'cert_dir', source: certificates.certDir, value: undefined, problem, fix })
  for (const { files, certificate } of usable) {
    found.notes.push(`certificate ${files.chain} for ${certificate.names.join(', ')}`, ...certificate.remarks)
  }
  if (usable.length > 0) {
    for (const name of namesWithoutCertificate(usable, settings))
      found.notes.push(`no certificate is for ${name}: clients get another there, and refuse it`)
    return
  }
  if (config.tls.required && problems.length === 0) {
    throw new OperatorError(`tls.required is set, and ${config.cert_dir} has no certificate`, {
      fix: 'mount fullchain.pem and privkey.pem there, or unset tls.required',
    })
  }
  if (problems.length === 0) found.notes.push(`no certificate in ${config.cert_dir}: one of the local CA will serve`)
}

/** nginx's own test of the rendered configuration, in a folder of its own next to what may be running; its warnings. */
async function testNginx(settings: Settings, world: World): Promise<string[]> {
  const { config } = settings
  const model = await previewModel(settings, world)
  // nginx would look the names up itself, and fail where one leads nowhere yet
  const upstreams = model.upstreams.map(upstream => ({
    ...upstream,
    servers: upstream.servers.map((server, index) => ({ ...server, address: `127.0.0.1:${index + 1}` })),
  }))
  const target = join(config.run_dir, 'check')
  const files = createNginxFiles({ source: join(world.home, 'nginx'), target })
  const rendered = renderConfiguration({
    ...model,
    upstreams,
    workDir: target,
    https: [],
    certificates: undefined,
    httpMode: 'serve',
  })
  try {
    const result = await files.test(files.stage(rendered.files), [])
    if (result.ok) return nameOrigins(result.warnings, rendered).map(warning => `nginx warns: ${warning}`)
    throw new OperatorError(`nginx refuses the configuration: ${nameOrigins(result.output, rendered).join('\n    ')}`, {
      fix: complaintFix(result.output, rendered),
    })
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}
