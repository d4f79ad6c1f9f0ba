import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readUsageFiles } from '../../../supervisor/processes/adapters/cgroup.ts'
import { readContainerUsage } from '../../../supervisor/processes/adapters/container-usage.ts'
import { usageOfGroups } from '../../../supervisor/processes/adapters/group-usage.ts'
import { sampleCpu } from '../../../supervisor/processes/cpu-share.ts'

describe('processes/cpu-share', () => {
  const first = { at: 1000, cpuSeconds: 1, cpu: 0.2 }

  it('is the share since the start, without a sample before or with an old one', () => {
    assert.equal(sampleCpu(undefined, { at: 5, cpuSeconds: 3 }, 10).cpu, 0.3)
    assert.equal(sampleCpu(first, { at: 1_000_000, cpuSeconds: 3 }, 10).cpu, 0.3)
    assert.equal(sampleCpu(undefined, { at: 5, cpuSeconds: 3 }, 0).cpu, undefined)
  })

  it('is the share since the sample before', () => {
    assert.equal(sampleCpu(first, { at: 3000, cpuSeconds: 2 }, 10).cpu, 0.5)
  })

  it('is that of the sample before soon after it, and never negative', () => {
    assert.equal(sampleCpu(first, { at: 1100, cpuSeconds: 9 }, 10), first)
    assert.equal(sampleCpu(first, { at: 3000, cpuSeconds: 0.5 }, 10).cpu, 0)
  })
})

describe('processes/adapters/group-usage', () => {
  it('adds what all processes of a group use, and leaves out groups without processes', async t => {
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)'], { detached: true })
    const { pid = 0 } = child
    t.after(() => process.kill(-pid, 'SIGKILL'))
    await once(child.stdout, 'data')
    const gone = 2 ** 22 + 1
    const found = usageOfGroups(new Set([pid, gone]))
    const usage = found.get(pid)
    assert.deepEqual([...found.keys()], [pid])
    assert.ok(usage && usage.rss > 1e6 && usage.cpuSeconds >= 0 && (usage.descriptors ?? 0) > 3)
  })
})

describe('processes/adapters/container-usage', () => {
  it('has the disk of a directory that does not exist yet', async () => {
    const { disks, cpus } = await readContainerUsage([{ name: 'state_dir', path: join(tmpdir(), 'none/at/all') }])
    assert.equal(disks[0]?.name, 'state_dir')
    assert.ok(cpus > 0 && (disks[0]?.size ?? 0) > (disks[0]?.free ?? 0))
  })

  it('reads the nearest cgroup that shows it, of both versions', () => {
    const unified = new Map([
      ['/proc/self/cgroup', '0::/a/b\n'],
      ['/sys/fs/cgroup/a/cpu.stat', 'usage_usec 5\n'],
      ['/sys/fs/cgroup/memory.current', '7\n'],
    ])
    assert.deepEqual(
      readUsageFiles(path => unified.get(path)),
      {
        ...{ cpu: 'usage_usec 5\n', legacyCpu: undefined, memory: '7\n', memoryStat: undefined },
      },
    )
    const legacy = new Map([
      ['/proc/self/cgroup', '4:memory:/a\n3:cpu,cpuacct:/a\n'],
      ['/sys/fs/cgroup/cpu,cpuacct/a/cpu.stat', 'throttled_time 5\n'],
      ['/sys/fs/cgroup/cpu,cpuacct/a/cpuacct.usage', '6\n'],
      ['/sys/fs/cgroup/memory/a/memory.usage_in_bytes', '7\n'],
    ])
    assert.deepEqual(
      readUsageFiles(path => legacy.get(path)),
      {
        ...{ cpu: 'throttled_time 5\n', legacyCpu: '6\n', memory: '7\n', memoryStat: undefined },
      },
    )
  })
})
