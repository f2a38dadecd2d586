const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const NANO = 1_000_000_000n;

/**
 * The form in which the API server keeps a quantity: `1000m` → `1`, `0.5Gi` → `512Mi`. Without it
 * an input would differ from the live value forever. Text that is no quantity is returned as it is.
 */
export function canonicalQuantity(quantity: string): string {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE])?)$/.exec(
        quantity,
    );
    if (match === null) return quantity;
    const [, sign = "", whole = "", fraction = "", exponent, suffix = ""] = match;
    if (whole === "" && fraction === "") return quantity;

    const binary = BINARY.indexOf(suffix);
    const power = exponent === undefined ? 0 : Number(exponent.slice(1));
    const decimal = suffix === "" ? power : 3 * (DECIMAL.indexOf(suffix) - 3);
    // In nano units; what is finer is rounded up, as the API server does.
    let digits = BigInt(whole + fraction) * NANO;
    let scale = -fraction.length;
    if (binary > 0) digits *= 1024n ** BigInt(binary);
    else scale += decimal;
    const nanos =
        scale >= 0 ? digits * 10n ** BigInt(scale) : divideUp(digits, 10n ** BigInt(-scale));
    if (nanos === 0n) return "0";

    const minus = sign === "-" ? "-" : "";
    if (binary > 0 && nanos >= 1024n * NANO && nanos % NANO === 0n) {
        let value = nanos / NANO;
        let step = 0;
        while (step < BINARY.length - 1 && value % 1024n === 0n) {
            value /= 1024n;
            step++;
        }
        return `${minus}${value}${BINARY[step]}`;
    }
    let value = nanos;
    let step = 0;
    while (step < DECIMAL.length - 1 && value % 1000n === 0n) {
        value /= 1000n;
        step++;
    }
    return exponent === undefined
        ? `${minus}${value}${DECIMAL[step]}`
        : `${minus}${value}${step === 3 ? "" : `e${3 * (step - 3)}`}`;
}

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;
