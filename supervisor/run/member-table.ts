import { formatTable } from '../base/text-table.ts'
import type { ContainerUsage, ProcessUsage } from '../processes/usage.ts'
import type { ProcessStatus } from '../programs/status.ts'
import type { WorkerStatus } from '../workers/status.ts'

type Member = WorkerStatus | ProcessStatus

interface Column {
  heading: string
  cell(member: Member): string
}

const usual: readonly Column[] = [
  { heading: 'NAME', cell: ({ name }) => name },
  {
    heading: 'STATE',
    cell: describeState,
  },
  { heading: 'PID', cell: ({ pid }) => String(pid ?? '-') },
  { heading: 'UP', cell: ({ uptimeSeconds }) => (uptimeSeconds === undefined ? '-' : `${uptimeSeconds} s`) },
]
const usage: readonly Column[] = [
  { heading: 'CPU', cell: ({ usage }) => formatCpu(usage) },
  { heading: 'RSS', cell: ({ usage }) => (usage === undefined ? '-' : formatMegabytes(usage.rss)) },
]
const requests: Column = {
  heading: 'IN FLIGHT',
  cell: member => ('requests' in member && member.requests ? String(member.requests.inFlight) : '-'),
}
const counts: readonly Column[] = [
  { heading: 'CRASHES', cell: ({ crashes }) => String(crashes) },
  { heading: 'REPLACED', cell: ({ replacements }) => String(replacements) },
]

/** State with what it waits for, whether nginx uses it, and failed health checks. */
function describeState(member: Member): string {
  const { state, waitsFor } = member
  if (state === 'pending') return `${state} (waits for ${waitsFor?.join(', ')})`
  const { failures = 0, limit = 0 } = ('health' in member && member.health) || {}
  if (failures > 0) return `${state} (${failures} of ${limit} checks failed)`
  return state + ('isInRotation' in member && !member.isInRotation ? ' (not in nginx)' : '')
}

/** Table of workers and processes. It has columns for what they use, and for their requests, if these are known. */
export function formatMembers(members: readonly Member[]): string {
  const columns = [
    ...usual,
    ...(members.some(member => member.usage) ? usage : []),
    ...(members.some(member => 'requests' in member && member.requests) ? [requests] : []),
    ...counts,
  ]
  return formatTable([
    columns.map(({ heading }) => heading),
    ...members.map(member => columns.map(({ cell }) => cell(member))),
  ])
}

/** Line with the memory and CPUs of the container; empty if neither is known. */
export function formatContainer(found: ContainerUsage | undefined): string {
  if (found?.memory === undefined) return ''
  const of = found.memoryLimit === undefined ? '' : ` of ${formatMegabytes(found.memoryLimit)}`
  const kills = found.oomKills ? `, ${found.oomKills} killed for lack of memory` : ''
  return `container ${formatMegabytes(found.memory)}${of}, ${found.cpus} CPUs${kills}\n`
}

/** CPU in use as a share of one CPU; undefined just after the start. */
function formatCpu(usage: ProcessUsage | undefined): string {
  return usage?.cpu === undefined ? '-' : `${Math.round(usage.cpu * 100)} %`
}

function formatMegabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`
}
