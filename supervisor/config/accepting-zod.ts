import { isEmail, isIpv4, isIpv6, isNetwork } from './accepting-formats.ts'
import { isRecord, refusal, refuse, Schema } from './accepting-schema.ts'

/**
 * The part of zod's interface that the schemas use, without explanations: what it accepts, zod accepts with the same result. It may refuse
 * more, and zod then decides and explains. The build puts it in place of zod into what every start loads: docs/decisions/051.
 */

export { globalRegistry, ZodDefault, ZodOptional, ZodPipe, ZodPrefault } from './accepting-schema.ts'

export function config(): void {}

export class ZodType extends Schema {
  protected override read(value: unknown): unknown {
    return this.def.accepts?.(value) ? value : refuse()
  }
}

export class ZodNumber extends ZodType {}
export class ZodBoolean extends ZodType {}

export class ZodLiteral extends Schema {
  get values(): ReadonlySet<unknown> {
    return new Set(this.def.values)
  }

  protected override read(value: unknown): unknown {
    return this.def.values?.includes(value) ? value : refuse()
  }
}

export class ZodEnum extends ZodLiteral {
  get options(): readonly unknown[] {
    return this.def.values ?? []
  }
}

export class ZodArray extends Schema {
  protected override read(value: unknown): unknown {
    return Array.isArray(value) ? value.map(item => this.def.element?.run(item)) : refuse()
  }
}

/** Object with these keys and no other. */
export class ZodObject extends Schema {
  get shape(): Readonly<Record<string, Schema>> {
    return this.def.shape ?? {}
  }

  protected override read(value: unknown): unknown {
    const { shape } = this
    if (!isRecord(value) || Object.keys(value).some(key => !Object.hasOwn(shape, key))) refuse()
    const result: Record<string, unknown> = {}
    for (const [key, schema] of Object.entries(shape)) {
      const isPresent = Object.hasOwn(value, key)
      if (!isPresent && schema.absence === undefined) refuse()
      if (!isPresent && schema.staysAbsent && schema.absence === 'optional') continue
      const read = schema.run(value[key])
      const isSubstituted = schema.absence === 'defaulted' && !schema.staysAbsent
      if (read !== undefined || isPresent || isSubstituted) result[key] = read
    }
    return result
  }
}

/** Object with any names. */
export class ZodRecord extends Schema {
  protected override read(value: unknown): unknown {
    if (!isRecord(value)) refuse()
    const entries = Object.entries(value).map(([key, item]) => {
      if (key === '__proto__') refuse()
      return [this.def.keyType?.run(key), this.def.valueType?.run(item)]
    })
    return Object.fromEntries(entries)
  }
}

/** The first schema that accepts the value. */
export class ZodUnion extends Schema {
  protected override read(value: unknown): unknown {
    for (const option of this.def.options ?? []) {
      try {
        return option.run(value)
      } catch (error) {
        if (error !== refusal) throw error
      }
    }
    return refuse()
  }
}

const text = (accepts: (value: string) => boolean) =>
  new ZodType({ type: 'string', accepts: value => typeof value === 'string' && accepts(value) })
export const string = () => text(() => true)
export const ipv4 = () => text(isIpv4)
export const ipv6 = () => text(isIpv6)
export const cidrv4 = () => text(isNetwork(isIpv4, 32))
export const cidrv6 = () => text(isNetwork(isIpv6, 128))
export const email = () => text(isEmail)
export const number = () => new ZodNumber({ type: 'number', accepts: Number.isFinite })
export const boolean = () => new ZodBoolean({ type: 'boolean', accepts: value => typeof value === 'boolean' })
export const literal = (value: unknown) => new ZodLiteral({ type: 'literal', values: [value].flat() })
const oneOf = (values: readonly string[]) => new ZodEnum({ type: 'enum', values })
export const array = (element: Schema) => new ZodArray({ type: 'array', element })
export const strictObject = (shape: Record<string, Schema>) => new ZodObject({ type: 'object', shape })
export const record = (keyType: Schema, valueType: Schema) => new ZodRecord({ type: 'record', keyType, valueType })
export const union = (options: readonly Schema[]) => new ZodUnion({ type: 'union', options })
export { oneOf as enum }
