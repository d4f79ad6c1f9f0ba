import type { Outcome } from '../../supervisor/base/outcome.ts'
import type { LocalAuthorityStatus } from '../../supervisor/certificates/local-ca/trust-info.ts'
import type { CertificateStatus, CertificatesStatus } from '../../supervisor/certificates/status.ts'
import type { EffectiveKey } from '../../supervisor/config/effective.ts'
import type { ListedRoute, ShownRoute } from '../../supervisor/dynamic-routes/operations.ts'
import type { MaintenanceStatus } from '../../supervisor/front/maintenance/maintenance.ts'
import type { LogLine } from '../../supervisor/logs/log-ring.ts'
import type { JobRun } from '../../supervisor/programs/jobs/operations.ts'
import type { JobStatus } from '../../supervisor/programs/jobs/status.ts'
import type { Findings } from '../../supervisor/run/adapters/inspection.ts'
import type { ClusterMember } from '../../supervisor/run/cluster.ts'
import type { DeathRecord } from '../../supervisor/run/deaths.ts'
import type { Finding } from '../../supervisor/run/diagnosis/finding.ts'
import type { RunEvent } from '../../supervisor/run/events.ts'
import type { AdminStatus, Status } from '../../supervisor/run/status.ts'

/** What commands print with `--json`, by their words. `logs -f`, `events -f` and `status --watch` print one of these per line. */
export interface CommandOutput {
  status: Status
  'status --cluster': ClusterMember[]
  /** One per line. */
  logs: LogLine
  /** One per line. */
  events: RunEvent
  deaths: DeathRecord[]
  'deaths ID': DeathRecord
  'config show': EffectiveKey[]
  check: Findings
  doctor: { findings: Finding[] }
  dashboard: { url?: string; socket: string } & Partial<AdminStatus>
  /** Texts by file. */
  render: Record<string, string>
  /** null while it is off. */
  maintenance: MaintenanceStatus | null
  'cert list': CertificatesStatus
  'cert show': CertificateStatus[]
  'cert trust-info': LocalAuthorityStatus
  'routes list': ListedRoute[]
  'routes get': ShownRoute
  'jobs list': JobStatus[]
  'jobs history': JobRun[]
  version: { version: string; node: string }
  /** Every command that changes something: reload, restart, scale, stop, pause, … */
  others: Outcome
}
