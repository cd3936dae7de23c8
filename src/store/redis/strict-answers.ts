import exported from "ioredis/built/DataHandler.js";

type DataHandler = typeof exported;

interface Handler {
  returnFatalError(error: unknown): void;
}

/**
 * What Redis answers is taken apart inside the client, which throws again, outside of anybody's reach, what goes wrong there: an answer of
 * the right form with nothing where a name belongs would end this process. Here it ends the connection, as every other nonsense does.
 */
export function endOnStrangeAnswers(): void {
  Object.defineProperty(classIn(exported).prototype, "dispatch", {
    configurable: true,
    value(this: Handler, work: () => void): void {
      try {
        work();
      } catch (error) {
        this.returnFatalError(error);
      }
    },
  });
}

/** The runtime gives what the module exports as default, a bundle the whole of what it exports. */
function classIn(module: DataHandler | { readonly default: DataHandler }): DataHandler {
  return "default" in module ? module.default : module;
}
