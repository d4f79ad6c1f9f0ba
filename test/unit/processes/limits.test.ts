import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeLimit } from '../../../supervisor/processes/adapters/limits.ts'

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max processes             7823                 unlimited            processes
Max open files            1024                 524288               files
`

describe('processes/limits', () => {
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['EMFILE', { '/proc/self/limits': limits }, 'limit of open files: 1024'],
    [
      'EAGAIN',
      { '/proc/self/limits': limits, '/sys/fs/cgroup/pids.max': '40\n' },
      'limit of processes and threads: 40',
    ],
    [
      'EAGAIN',
      { '/proc/self/limits': limits, '/sys/fs/cgroup/pids/pids.max': '50' },
      'limit of processes and threads: 50',
    ],
    [
      'EAGAIN',
      { '/proc/self/limits': limits, '/sys/fs/cgroup/pids.max': 'max' },
      'limit of processes and threads: 7823',
    ],
    ['EAGAIN', {}, undefined],
    ['ENOENT', { '/proc/self/limits': limits }, undefined],
  ]
  for (const [errno, files, expected] of cases)
    it(`${errno}: ${expected ?? 'none'}`, () =>
      assert.equal(
        describeLimit(errno, path => files[path]),
        expected,
      ))

  it('reads those of this process', () => assert.match(describeLimit('EMFILE') ?? '', /^limit of open files: \d+$/))
})
