/** `mx2s schema`: the JSON Schema of what a command prints. */
import { OUTPUT_SCHEMAS, schemaOf, schemaOfAll, type OutputName } from '../ui/schema/outputs.js';
import { addExamples, define } from './define.js';

export interface SchemaOptions {
  /** undefined: all in one document. */
  readonly name: OutputName | undefined;
}

export const schema = define<SchemaOptions>({
  configure: (command) => {
    command.addArgument(
      command.createArgument('[command]', 'whose output (default: all in one document)').choices(NAMES),
    );
    addExamples(command, ['mx2s schema send', 'mx2s schema error', 'mx2s schema > mx2s.schema.json']);
  },
  options: ({ args: [name] }) => ({ name: NAMES.find((each) => each === name) }),
  run: async ({ out }, { name }) => {
    const document = name === undefined ? schemaOfAll() : schemaOf(name);
    await out.write(`${JSON.stringify(document, null, 2)}\n`);
    return 0;
  },
});

const NAMES = Object.keys(OUTPUT_SCHEMAS) as OutputName[];
