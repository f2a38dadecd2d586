/** Bytes in one unit of each suffix; without a suffix it is bytes. */
const UNITS: Record<string, number> = {
    "": 1,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    Pi: 2 ** 50,
};

/** The bytes of a size as Kubernetes writes it, `10Gi` or `1.5T`; `undefined` when it is none. */
export function bytesOf(size: string): number | undefined {
    const [, amount, suffix = ""] = /^(\d+(?:\.\d+)?)([kMGTP]|[KMGTP]i)?$/.exec(size) ?? [];
    const unit = UNITS[suffix];
    const bytes = amount === undefined || unit === undefined ? 0 : Number(amount) * unit;
    return bytes > 0 ? bytes : undefined;
}

/** Whether one size is more than the other, however each is written. */
export function isLarger(size: string, than: string): boolean {
    return (bytesOf(size) ?? 0) > (bytesOf(than) ?? 0);
}
