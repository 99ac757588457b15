/** Attributes as text: equal texts mean equal attributes. */

/** What is not plain data is equal to itself alone. */
export function fingerprint(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    if (Array.isArray(value)) return `[${value.map(fingerprint).join()}]`;
    if (Object.getPrototypeOf(value) !== Object.prototype) return `#${identity(value)}`;
    const entries = Object.entries(value).map(([k, v]) => `${k}:${fingerprint(v)}`);
    return `{${entries.join()}}`;
  }
  if (typeof value === "function") return `#${identity(value)}`;
  if (typeof value === "string") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Whether a value is plain data: its fingerprint then says the same in every process. */
export function isPlain(value: unknown): boolean {
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (typeof value !== "object" || value === null) return true;
  const isList = Array.isArray(value);
  return (
    (isList || Object.getPrototypeOf(value) === Object.prototype) &&
    Object.values(value).every(isPlain)
  );
}

const identities = new WeakMap<object, number>();
let next = 0;

/** A number that no other object has. */
export function identity(of: object): number {
  let id = identities.get(of);
  if (id === undefined) {
    id = next++;
    identities.set(of, id);
  }
  return id;
}
