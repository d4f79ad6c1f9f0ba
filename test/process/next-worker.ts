import type { InstanceRecord } from '../../supervisor/run/adapters/instance.ts'

type Children = InstanceRecord['children']

/**
 * Pid of the process with this name that was started after `before`, and runs according to the last record. Records list processes in
 * the order of their starts; `seen` are those of all records so far. An older one that still drains is not the next.
 */
export function startedAfter(
  { seen, last }: { seen: Children; last: Children },
  name: string,
  before: number,
): number | undefined {
  const known = seen.map(({ pid }) => pid)
  return last.findLast(child => child.name === name && known.indexOf(child.pid) > known.indexOf(before))?.pid
}
