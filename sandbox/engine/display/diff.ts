import { Step } from "../deploy/events";
import { redact, unwrap } from "../values/values";
import { LineDisplay } from "./lines";
import { diffLines } from "./text";

/** `--diff`: also what is created and deleted is shown property by property, in previews and not. */
export class DiffDisplay extends LineDisplay {
    override after(step: Step): void {
        super.after(step);
        if (!this.dryRun && step.op !== "same") this.printDiff(step);
    }

    protected override printDiff(step: Step): void {
        const whole =
            step.op === "create" ? step.next : step.op === "delete" ? step.old : undefined;
        const lines =
            whole === undefined
                ? diffLines(step, this.options.showSecrets)
                : Object.entries(whole.inputs).map(([key, value]) => {
                      const shown = this.options.showSecrets
                          ? unwrap({ value })["value"]
                          : redact(value);
                      return `${step.op === "create" ? "+" : "-"} ${key}: ${JSON.stringify(shown)}`;
                  });
        for (const line of lines) this.print(`      ${line}`);
    }
}
