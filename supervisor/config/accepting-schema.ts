/** Thrown for a value that zod refuses too. */
export const refusal = Symbol('refusal')

/** Refuses the value in hand. */
export function refuse(): never {
  throw refusal
}

/** Description of a schema, as in zod. */
interface Definition {
  type: string
  innerType?: Schema
  in?: Schema
  options?: readonly Schema[]
  element?: Schema
  keyType?: Schema
  valueType?: Schema
  shape?: Readonly<Record<string, Schema>>
  values?: readonly unknown[]
  defaultValue?: unknown
  transformation?: (value: never, found: typeof context) => unknown
  accepts?: (value: unknown) => boolean
}

/** Whether a key may be absent, and whether a value then takes its place; undefined: it must be there. */
type Absence = 'optional' | 'defaulted' | undefined

/** Receiver of issues in a refinement, of which the first refuses the value. */
const context = { addIssue: refuse, issues: { push: refuse } }

type Check = (value: unknown) => unknown
type Meta = Record<string, unknown>

const metadata = new WeakMap<Schema, Meta>()

/** Registry of descriptions and marks. A schema has those of the schema that it was made from. */
export const globalRegistry = {
  get: (schema: Schema): Meta | undefined => metadata.get(schema),
  add(schema: Schema, meta: Meta) {
    metadata.set(schema, meta)
  },
}

/** Schema of any value: what it accepts is up to its kind, and to the checks after that. */
export class Schema {
  readonly def: Definition
  #checks: readonly Check[] = []

  constructor(def: Definition) {
    this.def = def
  }

  get _zod() {
    return { def: this.def }
  }

  get absence(): Absence {
    return undefined
  }

  /** Whether an absent key stays absent, whatever else it could be. */
  get staysAbsent(): boolean {
    return false
  }

  /** Result for a value, before its checks; `refuse` unless it is accepted. */
  protected read(value: unknown): unknown {
    return value
  }

  run(value: unknown): unknown {
    return this.#checks.reduce((result, check) => check(result), this.read(value))
  }

  safeParse(value: unknown): { success: true; data: unknown } | { success: false; error: undefined } {
    try {
      return { success: true, data: this.run(value) }
    } catch {
      return { success: false, error: undefined }
    }
  }

  parse(value: unknown): unknown {
    return this.run(value)
  }

  #copy(checks: readonly Check[]): this {
    const copy = new (this.constructor as new (def: Definition) => this)(this.def)
    copy.#checks = checks
    const meta = metadata.get(this)
    if (meta) metadata.set(copy, meta)
    return copy
  }

  #with(check: Check): this {
    return this.#copy([...this.#checks, check])
  }

  #expect(isAccepted: (value: never) => unknown): this {
    return this.#with(value => (isAccepted(value as never) ? value : refuse()))
  }

  refine(isAccepted: (value: never) => unknown): this {
    return this.#expect(isAccepted)
  }

  superRefine(refinement: (value: never, found: typeof context) => void): this {
    return this.#with(value => {
      refinement(value as never, context)
      return value
    })
  }

  check(check: (payload: { value: unknown; issues: typeof context.issues }) => void): this {
    return this.#with(value => {
      const payload = { value, issues: context.issues }
      check(payload)
      return payload.value
    })
  }

  regex(pattern: RegExp): this {
    return this.#expect((text: string) => text.search(pattern) !== -1)
  }

  int(): this {
    return this.#expect(Number.isSafeInteger)
  }

  min(minimum: number): this {
    return this.#expect((value: unknown) => sizeOf(value) >= minimum)
  }

  max(maximum: number): this {
    return this.#expect((value: unknown) => sizeOf(value) <= maximum)
  }

  optional(): ZodOptional {
    return new ZodOptional({ type: 'optional', innerType: this })
  }

  default(value: unknown): ZodDefault {
    return new ZodDefault({ type: 'default', innerType: this, defaultValue: value })
  }

  prefault(value: unknown): ZodPrefault {
    return new ZodPrefault({ type: 'prefault', innerType: this, defaultValue: value })
  }

  transform(transformation: (value: never, found: typeof context) => unknown): ZodPipe {
    return new ZodPipe({ type: 'pipe', in: this, transformation })
  }

  register(registry: typeof globalRegistry, meta: Meta): this {
    registry.add(this, meta)
    return this
  }

  meta(meta: Meta): this {
    const copy = this.#copy(this.#checks)
    metadata.set(copy, { ...metadata.get(copy), ...meta })
    return copy
  }

  describe(description: string): this {
    return this.meta({ description })
  }
}

export class ZodOptional extends Schema {
  override get absence(): Absence {
    return this.def.innerType?.absence ?? 'optional'
  }

  override get staysAbsent(): boolean {
    return true
  }

  protected override read(value: unknown): unknown {
    return value === undefined && this.absence !== 'defaulted' ? undefined : this.def.innerType?.run(value)
  }
}

export class ZodDefault extends Schema {
  override get absence(): Absence {
    return 'defaulted'
  }

  protected override read(value: unknown): unknown {
    return value === undefined ? copyOf(this.def.defaultValue) : this.def.innerType?.run(value)
  }
}

/** Default that is an input. */
export class ZodPrefault extends ZodDefault {
  protected override read(value: unknown): unknown {
    return this.def.innerType?.run(value === undefined ? copyOf(this.def.defaultValue) : value)
  }
}

export class ZodPipe extends Schema {
  override get absence(): Absence {
    return this.def.in?.absence
  }

  protected override read(value: unknown): unknown {
    return this.def.transformation?.(this.def.in?.run(value) as never, context)
  }
}

/** Whether a value is an object with keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function copyOf(value: unknown): unknown {
  return Array.isArray(value) ? [...value] : isRecord(value) ? { ...value } : value
}

/** Number, or length of a text or list. */
function sizeOf(value: unknown): number {
  return typeof value === 'number' ? value : (value as string | unknown[]).length
}
