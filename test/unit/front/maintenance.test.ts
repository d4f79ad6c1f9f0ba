import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isNetwork } from '../../../supervisor/front/maintenance/adapters/networks.ts'
import { type MaintenanceDeps, openMaintenance } from '../../../supervisor/front/maintenance/maintenance.ts'
import { maintenancePages } from '../../../supervisor/front/maintenance/page.ts'

const since = '2026-11-30T03:00:00.000Z'

/** Maintenance over files in memory, whose record may be unwritable. */
function open(given: { record?: string; isReadOnly?: boolean; hasLua?: boolean; own?: string } = {}) {
  const disk = { record: given.record, closed: undefined as string | undefined, html: '', json: '' }
  const logged: string[] = []
  const settings = { maintenancePage: given.own }
  const note = (message: string) => void logged.push(message)
  const deps: MaintenanceDeps = {
    clock: { now: () => Date.parse(since), monotonic: () => 0, after: () => () => {} },
    log: { debug: note, info: note, warn: note, error: note },
    settings: () => settings,
    hasLua: given.hasLua ?? true,
    isNetwork,
    files: {
      record: '/state/maintenance.json',
      readRecord: () => disk.record,
      writeRecord(text) {
        if (given.isReadOnly) throw new Error('read-only')
        disk.record = text
      },
      writePages: pages => void Object.assign(disk, pages),
      close: letIn => {
        disk.closed = letIn
      },
      open: () => {
        disk.closed = undefined
      },
    },
  }
  return { maintenance: openMaintenance(deps), disk, logged, settings }
}

describe('front/maintenance', () => {
  it('closes the site and opens it again', () => {
    const { maintenance, disk } = open()
    assert.deepEqual([disk.closed, maintenance.status(), maintenance.warnings()], [undefined, {}, []])
    const on = maintenance.turnOn({ allow: ['10.0.0.0/8', '2001:db8::/33'], message: 'Back at nine' })
    assert.ok(on.ok && /503, except 10\.0\.0\.0\/8, 2001:db8::\/33$/.test(on.message), on.message)
    assert.equal(disk.closed, `32 00001010\n128 ${'0010000000000001'}${'0000110110111000'}0\n`)
    assert.match(disk.html, /Back at nine/)
    assert.deepEqual(JSON.parse(disk.json), { error: 'maintenance', message: 'Back at nine' })
    assert.match(maintenance.warnings()[0] ?? '', /maintenance off ends it/)
    assert.equal(maintenance.metrics()[0]?.samples[0]?.value, 1)
    assert.deepEqual(maintenance.turnOff(), { ok: true, message: 'maintenance is off' })
    assert.deepEqual([disk.closed, disk.record, maintenance.status()], [undefined, undefined, {}])
    assert.deepEqual(maintenance.turnOff(), { ok: true, message: 'maintenance was off already' })
  })

  it('is on again after a restart, with its page and its networks', () => {
    const first = open()
    first.maintenance.turnOn({ allow: ['::1'], message: 'Soon' })
    const second = open({ record: first.disk.record ?? assert.fail() })
    assert.deepEqual(second.maintenance.status(), { maintenance: { since, allow: ['::1'], message: 'Soon' } })
    assert.equal(second.disk.closed, first.disk.closed)
    assert.match(second.disk.html, /Soon/)
    assert.match(second.logged.join(), /still on/)
  })

  for (const record of ['', '{', '[]', 'null', '{"since":1,"allow":[]}'])
    it(`is off, and says so, with the state ${record || 'of an empty file'}`, () => {
      const { disk, logged } = open({ record })
      assert.equal(disk.closed, undefined)
      assert.match(logged.join(), /cannot read whether/)
    })

  it('is on without a writable state_dir, until the next restart', () => {
    const { maintenance, disk } = open({ isReadOnly: true })
    const on = maintenance.turnOn({ allow: [], message: undefined })
    assert.ok(on.ok && /until the next restart: cannot keep it in \/state\/maintenance\.json/.test(on.message))
    assert.equal(disk.closed, '')
    const off = maintenance.turnOff()
    assert.ok(!off.ok && /a restart turns it on again/.test(off.message))
    assert.equal(disk.closed, undefined)
  })

  it('refuses what it cannot do, and changes nothing', () => {
    for (const allow of [
      '10.0.0.0/33',
      '10.0.0',
      'office',
      '::1/129',
      '10.0.0.0/8/8',
      'fe80::1%eth0',
      '',
      '1.2.3.4/',
    ]) {
      const { maintenance, disk } = open()
      const refused = maintenance.turnOn({ allow: [allow], message: undefined })
      assert.ok(!refused.ok && refused.reason.includes(`${allow} is not an address or a network`), allow)
      assert.deepEqual([disk.closed, disk.record], [undefined, undefined])
    }
    const { maintenance } = open({ hasLua: false })
    assert.match(JSON.stringify(maintenance.turnOn({ allow: ['::1'], message: undefined })), /has no Lua/)
    assert.match(JSON.stringify(maintenance.turnOn({ allow: [], message: 'x'.repeat(1001) })), /longer than 1000/)
    assert.equal(maintenance.turnOn({ allow: [], message: undefined }).ok, true)
  })

  it('shows the page of the user unless there is a message, and follows its changes', async () => {
    const { maintenance, disk, settings } = open({ own: '<p>own' })
    maintenance.turnOn({ allow: [], message: undefined })
    assert.equal(disk.html, '<p>own')
    const next = { maintenancePage: '<p>new' }
    const change = await maintenance.prepare(next)
    settings.maintenancePage = next.maintenancePage
    change?.commit()
    assert.equal(disk.html, '<p>new')
    assert.equal(await maintenance.prepare(next), undefined)
    maintenance.turnOff()
    assert.equal(await maintenance.prepare({ maintenancePage: 'other' }), undefined)
  })

  it('writes a message as text', () => {
    const { html, json } = maintenancePages({ message: '</p><script>1 & 2', own: undefined })
    assert.match(html, /&lt;\/p&gt;&lt;script&gt;1 &amp; 2/)
    assert.equal(JSON.parse(json).message, '</p><script>1 & 2')
  })
})
