import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveJobs } from '../../../../supervisor/programs/jobs/settings.ts'
import { acceptedApps } from '../../site/load-config.ts'

describe('programs/jobs/settings', () => {
  it('read no data of time zones, which take 5 MB, if there are no jobs', t => {
    t.mock.method(Intl, 'DateTimeFormat', () => assert.fail('time zones are read'))
    const world = { env: { TZ: 'Europe/Berlin' }, home: '/', umask: 0o022 }
    const complain = (key: string) => assert.fail(key)
    const found = resolveJobs({ config: acceptedApps({}), world, main: undefined, complain })
    assert.deepEqual(found, { jobs: [], areJobsOff: false })
  })
})
