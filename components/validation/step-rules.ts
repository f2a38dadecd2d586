import { wholeNumberBetween } from "./numbers";
import { show, type Violation } from "./violation";

/** One weight of a stepped canary, and how long it is watched. */
export interface CheckedStep {
    /** Percent of the traffic, 1 to 100; each step has more than the one before. */
    setWeight: number;
    /** How long it stays, `30s`, `10m` or `1h`, or `manual`: until somebody says so. */
    pause: string;
}

/** Every violation in the steps of a canary. */
export function stepRules(steps: readonly CheckedStep[] = []): Violation[] {
    if (steps.length > MOST_STEPS) {
        return [
            {
                path: "steps",
                got: `${steps.length} steps`,
                expected: `at most ${MOST_STEPS} steps`,
            },
        ];
    }
    return steps.flatMap(({ setWeight, pause }, index) => {
        const path = `steps[${index}]`;
        const before = steps[index - 1]?.setWeight ?? 0;
        const found = wholeNumberBetween(`${path}.setWeight`, setWeight, 1, 100);
        if (found.length === 0 && setWeight <= before) {
            found.push({
                path: `${path}.setWeight`,
                got: show(setWeight),
                expected: `more than ${before}, the weight of the step before`,
            });
        }
        if (!/^([1-9]\d{0,4}[smh]|manual)$/.test(pause)) {
            found.push({
                path: `${path}.pause`,
                got: show(pause),
                expected: `a duration like "30s", "10m" or "1h", or "manual"`,
            });
        }
        return found;
    });
}

/** More than one per percent have no meaning. */
const MOST_STEPS = 100;
