import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { grantedCpus, readMemoryGroup } from '../../../supervisor/processes/adapters/cgroup.ts'

/** CPUs on a machine with 16, whose files are these. */
function cpusWith(files: Record<string, string>): number {
  return grantedCpus(path => files[path], 16)
}

const v2 = '/sys/fs/cgroup'
const v1 = '/sys/fs/cgroup/cpu'

describe('processes/adapters/cgroup: version 2', () => {
  const own = { '/proc/self/cgroup': '0::/system.slice/app.service\n' }
  const leaf = `${v2}/system.slice/app.service/cpu.max`
  const parent = `${v2}/system.slice/cpu.max`

  it('reads the quota with fractions', () => {
    assert.equal(cpusWith({ ...own, [leaf]: '200000 100000\n' }), 2)
    assert.equal(cpusWith({ ...own, [leaf]: '50000 100000\n' }), 0.5)
    assert.equal(cpusWith({ ...own, [leaf]: '25000 10000\n' }), 2.5)
  })

  it('uses the smallest quota of itself and its parents', () => {
    assert.equal(cpusWith({ ...own, [leaf]: '400000 100000\n', [parent]: '150000 100000\n' }), 1.5)
    assert.equal(cpusWith({ ...own, [leaf]: '100000 100000\n', [parent]: '300000 100000\n' }), 1)
    assert.equal(cpusWith({ ...own, [leaf]: 'max 100000\n', [parent]: '300000 100000\n' }), 3)
  })

  it('reads the quota of its container, where its own cgroup is the root', () => {
    assert.equal(cpusWith({ '/proc/self/cgroup': '0::/\n', [`${v2}/cpu.max`]: '300000 100000\n' }), 3)
    assert.equal(cpusWith({ '/proc/self/cgroup': '0::/../other\n', [`${v2}/cpu.max`]: '300000 100000\n' }), 3)
  })

  it('grants every CPU without a quota', () => {
    assert.equal(cpusWith({ ...own, [leaf]: 'max 100000\n' }), 16)
    assert.equal(cpusWith({ ...own, [leaf]: '3200000 100000\n' }), 16)
  })
})

describe('processes/adapters/cgroup: version 1', () => {
  const own = { '/proc/self/cgroup': '7:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n' }
  const quota = (folder: string, quotaUs: number, periodUs = 100_000) => ({
    [`${folder}/cpu.cfs_quota_us`]: `${quotaUs}\n`,
    [`${folder}/cpu.cfs_period_us`]: `${periodUs}\n`,
  })

  it('reads the quota at its path, and at the root that a container sees', () => {
    assert.equal(cpusWith({ ...own, ...quota(`${v1}/docker/abc`, 150_000) }), 1.5)
    assert.equal(cpusWith({ ...own, ...quota(v1, 50_000) }), 0.5)
    assert.equal(cpusWith({ ...own, ...quota(`${v1},cpuacct/docker/abc`, 20_000, 10_000) }), 2)
  })

  it('uses the smallest quota of itself and its parents', () => {
    assert.equal(cpusWith({ ...own, ...quota(`${v1}/docker/abc`, 400_000), ...quota(`${v1}/docker`, 300_000) }), 3)
  })

  it('grants every CPU without a quota', () => {
    assert.equal(cpusWith({ ...own, ...quota(`${v1}/docker/abc`, -1) }), 16)
  })

  it('reads version 1 if version 2 is mounted without controllers', () => {
    const hybrid = { '/proc/self/cgroup': `${own['/proc/self/cgroup']}0::/docker/abc\n` }
    assert.equal(cpusWith({ ...hybrid, ...quota(`${v1}/docker/abc`, 200_000) }), 2)
  })
})

describe('processes/adapters/cgroup: elsewhere', () => {
  it('grants every CPU if nothing can be read', () => assert.equal(cpusWith({}), 16))

  it('never returns NaN', () => {
    for (const text of ['', '\n', 'garbage', '100000']) {
      assert.equal(cpusWith({ '/proc/self/cgroup': '0::/\n', [`${v2}/cpu.max`]: text }), 16, JSON.stringify(text))
    }
  })

  it('works on this machine', () => {
    const cpus = grantedCpus()
    assert.ok(cpus > 0 && Number.isFinite(cpus), String(cpus))
  })
})

describe('processes/adapters/cgroup: memory', () => {
  const folder = '/sys/fs/cgroup/system.slice/app.service'
  const memoryWith = (files: Record<string, string>) => readMemoryGroup(path => files[path])

  it('reads its own victims and the smallest limit from version 2', () => {
    const group = memoryWith({
      '/proc/self/cgroup': '0::/system.slice/app.service\n',
      [`${folder}/memory.events`]: 'low 0\noom 4\noom_kill 3\noom_group_kill 1\n',
      [`${folder}/memory.max`]: 'max\n',
      '/sys/fs/cgroup/system.slice/memory.events': 'oom_kill 9\n',
      '/sys/fs/cgroup/system.slice/memory.max': '268435456\n',
    })
    assert.equal(group.oomKills(), 3)
    assert.equal(group.limit(), 2 ** 28)
  })

  it('reads version 1 at its path or at the root that a container sees', () => {
    const own = { '/proc/self/cgroup': '7:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n' }
    for (const place of ['/sys/fs/cgroup/memory/docker/abc', '/sys/fs/cgroup/memory']) {
      const group = memoryWith({
        ...own,
        [`${place}/memory.oom_control`]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
        [`${place}/memory.limit_in_bytes`]: '134217728\n',
      })
      assert.equal(group.oomKills(), 2)
      assert.equal(group.limit(), 2 ** 27)
    }
  })

  it('reports no limit and no victims if there are none or nothing can be read', () => {
    const v1 = memoryWith({ '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' })
    assert.deepEqual([v1.limit(), v1.oomKills()], [undefined, 0])
    const v2 = memoryWith({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max\n' })
    assert.deepEqual([v2.limit(), v2.oomKills()], [undefined, 0])
    const nothing = memoryWith({})
    assert.deepEqual([nothing.limit(), nothing.oomKills()], [undefined, 0])
  })
})
