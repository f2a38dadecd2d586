import type { Backend } from "./settings";

/** What decides who is where: the sides, their shares in percent, and which of them is the main one. */
export type Share = Pick<Backend, "side" | "weight" | "main">;

/**
 * The side that a client gets by its key: the value of the sticky header or cookie, or its address as
 * text. Exactly what every replica of the router computes, so that it can be told without asking one,
 * and monotonic: whose side grows stays on it.
 *
 * @param seed `router.sticky.seed`
 * @throws Error when no side has a share
 */
export function cohort(key: string, shares: readonly Share[], seed = ""): string {
    const hash = murmur2(Buffer.from(seed + key));
    const found = ranges(shares).find(({ below }) => below === undefined || hash < below);
    if (found === undefined) throw new Error("no side has a share of the traffic");
    return found.side;
}

export interface Range {
    side: string;
    /** Share in percent. */
    weight: number;
    /** First hash behind the range; the last one has no end. */
    below?: number;
}

/**
 * The sides with a share in the order of their ranges: the main one last, so that the beginning of
 * another one's range never moves.
 */
export function ranges(shares: readonly Share[]): Range[] {
    const split = inOrder(shares).filter(({ weight }) => weight > 0);
    let below = 0;
    return split.map(({ side, weight }, index) => {
        if (index === split.length - 1) return { side, weight };
        below += boundary(weight);
        return { side, weight, below };
    });
}

/** The others first, as given, then the main one. */
export function inOrder<T extends { main: boolean }>(shares: readonly T[]): T[] {
    return [...shares.filter(({ main }) => !main), ...shares.filter(({ main }) => main)];
}

/** nginx counts in hundredths of a percent and rounds each range down by itself. */
function boundary(weight: number): number {
    return Math.floor((Math.round(weight * 100) * 0xffffffff) / 10_000);
}

const MULTIPLIER = 0x5bd1e995;

/** MurmurHash2 of nginx's `split_clients`: 32 bits, without a seed of its own. */
export function murmur2(data: Uint8Array): number {
    let hash = data.length;
    let at = 0;
    for (; at + 4 <= data.length; at += 4) {
        let word = byte(data, at) | (byte(data, at + 1) << 8) | (byte(data, at + 2) << 16);
        word = Math.imul(word | (byte(data, at + 3) << 24), MULTIPLIER);
        word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
        hash = Math.imul(hash, MULTIPLIER) ^ word;
    }
    if (at < data.length) {
        for (let rest = data.length - at - 1; rest >= 0; rest--) {
            hash ^= byte(data, at + rest) << (8 * rest);
        }
        hash = Math.imul(hash, MULTIPLIER);
    }
    hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
    return (hash ^ (hash >>> 15)) >>> 0;
}

function byte(data: Uint8Array, at: number): number {
    return data[at] ?? 0;
}
