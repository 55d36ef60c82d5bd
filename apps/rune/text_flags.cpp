#include "text_flags.h"

#include "train/option_text.h"

namespace rune::app {

void add_reading_options(CommandLine& line, TextOptions& text) {
  line.option("--encoding", "NAME", text.encoding, "UTF-8, UTF-16, windows-1252, GB18030, ...; auto: detected.");
  line.option("--on-invalid", "NAME", text.on_invalid,
              train::list_names<OnInvalid>() +
                  ": what bytes that are no character do: stop, become U+FFFD, or stay as they are.");
  line.option("--include", "PATTERN", text.include,
              "Of directories and archives: only files whose name matches, such as '*.txt'.");
  line.toggle("raw", text.form.raw, "Keep CR, CR LF and NEL, which are newlines otherwise.");
}

void add_unit_options(CommandLine& line, TextOptions& text) {
  line.option(
      "--unit", "NAME", text.form.unit,
      train::list_names<Unit>() +
          ": what the model reads and writes at a time: code points, what a reader sees as one character, bytes, "
          "or words with the spaces and punctuation between them.");
  line.option("--normalize", "NAME", text.form.normalize,
              train::list_names<Normalization>() + ": Unicode's normal form.");
  line.toggle("lowercase", text.form.lowercase, "All in lower case.");
  line.toggle("fold-case", text.form.fold_case, "Unicode's case folding: lower case, and ss for a sharp s.");
  line.option("--first-characters", "N", text.first_characters, "Only so many from the start; 0: all.");
  line.option("--alphabet", "NAME", text.alphabet,
              train::list_names<Alphabet>() + ": the units of the text, or the 100 of Python's string.printable.");
  line.option("--max-vocabulary", "N", text.max_vocabulary,
              "At most so many units, the most frequent; the rest become <unk>; 0: all.");
  line.option("--min-frequency", "N", text.min_frequency, "Units seen less often in training become <unk>.");
  line.option("--coverage", "P", text.coverage,
              "The most frequent units that make up this share of the text, such as 0.9995; the rest become <unk>.");
  line.toggle("unknown-symbol", text.unknown_symbol, "Have <unk>, which stands for units of other texts.");
  line.toggle("padding-symbol", text.padding_symbol, "Have <pad>, which stands for nothing.");
  line.toggle("documents", text.form.documents, "Put <EOS> after every file.");
}

void add_record_options(CommandLine& line, TextOptions& text) {
  line.option(
      "--records", "NAME", text.form.records,
      train::list_names<Records>() + ": a running text, or what each record is; <BOS> and <EOS> stand around it.");
  line.option("--separator", "TEXT", text.form.separator, "Of --records separator: the line between two records.");
  line.option("--column", "N", text.form.column, "Of --records csv and tsv: the column, counted from 0.");
  line.option("--field", "NAME", text.form.field,
              "Of --records jsonl: the field; of csv and tsv: the column that the first row names so.");
  line.option("--first-record", "N", text.first_record, "Leave out those before it, counted from 0.");
  line.option("--max-records", "N", text.max_records, "Only so many; 0: all.");
  line.option("--max-length", "N", text.max_length, "Leave out records of more characters; 0: none.");
  line.option("--skip-records", "REGEX", text.skip_records, "Leave out records that it matches as a whole.");
}

void add_cache_option(CommandLine& line, text::Cache& cache) {
  line.option("--cache", "NAME", cache,
              train::list_names<text::Cache>() +
                  ": whether the text is encoded into a file in ~/.cache/rune, to be trained on without holding it in "
                  "memory; auto: if it is larger than 128 MB.");
}

}  // namespace rune::app
