import { join } from 'node:path'
import { runOften } from '../../base/adapters/cron.ts'
import { findTransience } from '../../base/adapters/mounts.ts'
import { messageOf } from '../../base/errors.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { SharedState } from '../../shared-state/state.ts'
import { covers } from '../choice.ts'
import { createClockCheck } from '../clock-warning.ts'
import type { KeptCertificate } from '../kept.ts'
import type { OnDemandKeys } from '../on-demand/paths.ts'
import { type OnDemandDeps, type SharedAcmeDeps, startOnDemand } from '../on-demand/start.ts'
import { createAccountStore } from './adapters/account.ts'
import { createAlpnSolver } from './adapters/alpn-solver.ts'
import { createChallengeFiles } from './adapters/challenge-files.ts'
import { createDnsSolver, createHttpSolver } from './adapters/challenges.ts'
import { type AcmeClientOptions, createAcmeClient } from './adapters/client.ts'
import { keyMaker } from './adapters/key-maker.ts'
import { createNeighbours } from './adapters/neighbours.ts'
import { createPreflight } from './adapters/probes.ts'
import { readRoots } from './adapters/requirements.ts'
import { createAcmeStore } from './adapters/store.ts'
import type { AcmeSettings, AuthoritySettings } from './plan.ts'
import { findObstacle } from './preflight.ts'
import { type Acme, createAcme, type RunningAcme } from './service.ts'
import { type AcmeKeys, acmeCertificatesDir, alpnDir, challengeDirOf, dnsHookDir } from './settings.ts'
import { shareInState } from './shared/open.ts'
import { shareWithNeighbours } from './sharing.ts'
import { createTurns } from './turns.ts'

/** Often enough to follow the CA's Retry-After. */
const everyTenSeconds = '*/10 * * * * *'
/** Four quick orders at a time. A handshake waits for ten seconds, so a slow order must not hold its place for longer than this. */
const turns = { places: 4, patienceMs: 2000 }

/** Settings that ACME depends on. */
export interface AcmeServiceSettings {
  config: AcmeKeys & OnDemandKeys
  apps: readonly { context: { directory: string } }[]
  nginxUser: { gid: number } | undefined
}

/** Dependencies of the running ACME service. */
export interface AcmeServiceDeps extends Pick<OnDemandDeps, 'clock' | 'log' | 'random' | 'hasRoute'> {
  /** Certificates in use. */
  served(): readonly KeptCertificate[]
  /** Loads the certificate files and has nginx serve them. */
  refresh(reason: string): Promise<Outcome>
  /** State that instances share; undefined without shared_state. */
  sharedState: SharedState | undefined
}

/** Starts to obtain and renew certificates in the background. Certificates in use stay in use, whatever happens. */
export function startAcme(
  deps: AcmeServiceDeps,
  { config, apps, nginxUser }: AcmeServiceSettings,
  settings: AcmeSettings,
): RunningAcme {
  const { clock, log, random } = deps
  const ending = new AbortController()
  const { signal } = ending
  const challengeDir = challengeDirOf(config) ?? join(config.run_dir, 'acme-challenge')
  const { sharedState: state } = deps
  const onNews = () => each(one => one.tick())
  const meetNeighbours = () =>
    createNeighbours(join(config.state_dir, 'acme/shared'), join(config.run_dir, 'acme-instance'))
  const sharing = state ? shareInState({ state, clock, log, signal, onNews }) : shareWithNeighbours(meetNeighbours())
  const { responses, neighbours, peersOf } = sharing
  const challenges = createChallengeFiles(challengeDir, { clock, log, responses, neighbours, signal })
  const preflight = createPreflight(config.state_dir, challenges, signal)
  const accounts = join(config.state_dir, 'acme/accounts')
  const accountOf = (directory: string) => {
    const local = createAccountStore(accounts, directory, { keys: keyMaker, clock, log })
    return sharing.account(local, directory)
  }
  const clientOf = (authority: AuthoritySettings & Pick<AcmeClientOptions['settings'], 'preferredChain'>) =>
    createAcmeClient({
      settings: authority,
      ...{ log, signal, now: clock.now },
      ca: authority.caFile === undefined ? undefined : readRoots(authority.caFile),
      account: accountOf(authority.directory),
      onTime: createClockCheck(log, clock.now),
    })

  const transience = findTransience(config.state_dir)
  if (transience && !state)
    log.warn('certificates from the CA will be lost with this container', {
      reason: `state_dir ${config.state_dir} ${transience}`,
      fix: `mount a volume there, because every new container orders them again, which CAs limit: -v monohull-state:${config.state_dir}`,
    })

  let hasNeighbours = false
  function reportNeighbours(exist: boolean): void {
    if (exist && !hasNeighbours)
      log.info('another monohull uses this state_dir: certificates and challenges are shared', {
        state_dir: config.state_dir,
      })
    hasNeighbours = exist
  }

  const shared: SharedAcmeDeps = {
    client: clientOf(settings),
    fallback: settings.fallback && clientOf(settings.fallback),
    solver: {
      'http-01': () => createHttpSolver(challenges),
      'tls-alpn-01': () => createAlpnSolver(alpnDir(config.run_dir), nginxUser?.gid, clock.now),
      'dns-01': () => createDnsSolver(settings.dnsHook ?? [], dnsHookDir(apps), signal),
    }[settings.challenge](),
    keys: keyMaker,
    clock,
    random,
    log,
    signal,
    settings,
    peersOf,
    turns: createTurns({ clock, ...turns }),
    preflight: plan => findObstacle(plan, settings, { preflight, log }),
    isCovered: domains =>
      domains.every(domain =>
        deps.served().some(({ source, certificate }) => source === 'mounted' && covers(certificate, domain)),
      ),
  }
  const store = createAcmeStore(acmeCertificatesDir(config))
  const acme = createAcme({
    ...shared,
    store,
    peers: peersOf('configured', store, settings),
    serve: () => deps.refresh('ACME'),
  })
  const { on_demand: wanted } = config.tls
  const onDemand = wanted && startOnDemand({ ...deps, config, nginxUser, wanted }, shared)
  const each = (act: (one: Acme) => Promise<void>) =>
    Promise.all(
      (onDemand ? [acme, onDemand] : [acme]).map(one =>
        act(one).catch((error: unknown) => log.error('cannot renew certificates', { error: messageOf(error) })),
      ),
    )
  let isBegun = false
  const tick = () => {
    if (!isBegun) return
    neighbours?.beat()
    reportNeighbours(neighbours?.exist() ?? false)
    void each(one => one.tick())
  }
  const cancel = runOften(everyTenSeconds, tick)
  const begin = () => {
    isBegun = true
    if (!signal.aborted) tick()
  }
  const begun = sharing.begin?.().then(begin)
  if (!begun) begin()
  return {
    renew: (name, mode) => (onDemand?.certificate(name) ? onDemand : acme).renew(name, mode),
    status: acme.status,
    retry: () => void each(one => one.retry()),
    begun: begun ?? Promise.resolve(),
    onDemand: () => onDemand?.served() ?? [],
    async close() {
      cancel()
      ending.abort()
      await Promise.all([acme.idle(), onDemand?.close(), begun])
      challenges.close()
      await sharing.close()
    },
  }
}
