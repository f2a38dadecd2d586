// A rejected promise that nobody awaits is a failed claim, not noise: mocha would let it pass.
process.on("unhandledRejection", (reason) => {
    throw reason;
});
