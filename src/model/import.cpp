#include "model/import.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rune/error.h>

#include "format/array.h"
#include "format/quote.h"
#include "format/torch_file.h"
#include "model/cell.h"
#include "model/option_names.h"
#include "text/utf8.h"

namespace rune::model {
namespace {

using format::ArrayView;
using format::quote;
using Arrays = std::vector<const ArrayView*>;

// Weights in f16 that two layers share grow fourfold; a file that asks for more is made to do harm.
constexpr std::size_t kMaxExpansion = 16;
constexpr std::size_t kMaxListed = 40;  // arrays in a message

std::string list(const Arrays& arrays) {
  std::string text;
  for (std::size_t i = 0; i < std::min(arrays.size(), kMaxListed); ++i) {
    text += fmt::format("\n  {} ({})", quote(arrays[i]->name), fmt::join(arrays[i]->shape, " x "));
  }
  if (arrays.size() > kMaxListed) text += fmt::format("\n  and {} more", arrays.size() - kMaxListed);
  return text.empty() ? "\n  nothing" : text;
}

// Keys of dictionaries stand before the last slash: weights of one model lie in one dictionary.
std::string_view dictionary_of(std::string_view name) { return name.substr(0, name.rfind('/') + 1); }

/// The arrays of a file, and which of them are the parts of a model.
class Importer {
 public:
  Importer(const std::string& name, const std::vector<ArrayView>& arrays, const ImportOptions& options)
      : name_(name), options_(options) {
    for (const ArrayView& array : arrays) {
      if (!arrays_.emplace(array.name, &array).second) fail(fmt::format("{} occurs twice", quote(array.name)));
    }
  }

  /// The shape of the model, and where each of its parameters comes from.
  ModelOptions find_parts() {
    ModelOptions model{.nonlinearity = options_.nonlinearity, .dropout = 0, .output_dropout = 0.0F};
    find_recurrent(model);
    find_projection(model);
    find_embedding(model);
    refuse_others();
    return model;
  }

  [[nodiscard]] int vocabulary_size() const { return static_cast<int>(projection_->shape[0]); }

  /// Fills a model's parameters, after it has checked that the file holds all of them in the right shape.
  Parameters parameters(const ModelOptions& model, std::size_t file_size) const {
    std::size_t elements = 0;
    const auto layout = tensor_layout(model, vocabulary_size());
    for (const Tensor& tensor : layout) {
      const ArrayView* const source = source_of(tensor.name);
      if (source == nullptr) {
        if (tensor.shape.size() > 1) fail(fmt::format("{} is missing", quote(file_name(tensor.name))));
      } else if (source->shape != tensor.shape) {
        fail(fmt::format("expected {} to be {}, found {}", quote(source->name), fmt::join(tensor.shape, " x "),
                         fmt::join(source->shape, " x ")));
      }
      elements += tensor.size;
    }
    if (elements * sizeof(float) > kMaxExpansion * file_size) {
      fail(fmt::format("its weights take more than {} times the file's size", kMaxExpansion));
    }
    Parameters parameters(model, vocabulary_size());
    for (const Tensor& tensor : layout) {
      if (const ArrayView* const source = source_of(tensor.name)) {
        std::ranges::copy(format::to_floats(*source, name_), parameters.values(tensor).begin());
      }
    }
    return parameters;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("cannot import '{}': {}", name_, what));
  }

 private:
  [[nodiscard]] const ArrayView* find(const std::string& name) const {
    const auto found = arrays_.find(name);
    return found == arrays_.end() ? nullptr : found->second;
  }

  [[nodiscard]] Arrays all() const {
    Arrays all;
    for (const auto& [name, array] : arrays_) all.push_back(array);
    return all;
  }

  // The arrays that `accepts` takes of those that no part has claimed, in the recurrent layers' dictionary.
  template <class Accepts>
  [[nodiscard]] Arrays unclaimed(const Accepts& accepts) const {
    Arrays found;
    for (const auto& [name, array] : arrays_) {
      const bool beside = dictionary_of(name) == dictionary_of(prefix_) && !name.starts_with(prefix_);
      if (beside && !claimed_.contains(name) && accepts(*array)) found.push_back(array);
    }
    return found;
  }

  void find_recurrent(ModelOptions& model) {
    static constexpr std::string_view kFirst = "weight_ih_l0";
    Arrays found;
    for (const ArrayView* const array : all()) {
      if (!array->name.ends_with(kFirst)) continue;
      const std::string_view prefix(array->name.data(), array->name.size() - kFirst.size());
      const std::string& wanted = options_.recurrent;
      if (wanted.empty() || prefix.ends_with(wanted) || prefix.ends_with(wanted + '.')) found.push_back(array);
    }
    if (found.empty()) {
      fail(fmt::format("expected the weights of nn.RNN, nn.GRU or nn.LSTM, {}...; found:{}",
                       quote(options_.recurrent + "weight_ih_l0"), list(all())));
    }
    if (found.size() > 1) {
      fail(fmt::format("it holds several recurrent networks; say with --recurrent what stands before weight_ih_l0:{}",
                       list(found)));
    }
    prefix_ = found[0]->name.substr(0, found[0]->name.size() - kFirst.size());
    const ArrayView& input = *found[0];
    const ArrayView* const hidden = find(prefix_ + "weight_hh_l0");
    const std::optional<Cell> known = known_cell();
    const bool recurrent = !known || traits_of(*known).recurrent;
    if (input.shape.size() != 2 ||
        (recurrent && (hidden == nullptr || hidden->shape.size() != 2 || hidden->shape[1] < 1))) {
      fail(fmt::format("expected the matrices {}{}; found:{}", quote(input.name), recurrent ? " and weight_hh_l0" : "",
                       list(all())));
    }
    inputs_ = input.shape[1];
    model.cell = known ? *known : cell_of(*hidden);
    const std::int64_t units =
        recurrent ? hidden->shape[1] : input.shape[0] / static_cast<std::int64_t>(traits_of(model.cell).gates);
    constexpr std::int64_t kMax = 1 << 24;  // far above what validate() allows
    model.hidden_size = static_cast<int>(std::min(units, kMax));
    model.layers = 0;
    while (find(fmt::format("{}weight_ih_l{}", prefix_, model.layers)) != nullptr) ++model.layers;
    cell_ = model.cell;
  }

  // As the user says. Of rune's own cells the shapes tell nothing, but the names do, which its models have in PyTorch
  // too.
  [[nodiscard]] std::optional<Cell> known_cell() const {
    if (options_.cell) return options_.cell;
    for (const Cell cell : {Cell::loop, Cell::loop_concat, Cell::mingru}) {
      const std::string_view prefix = prefix_;
      if (prefix.substr(dictionary_of(prefix).size()) == fmt::format("{}.", cell_name(cell))) return cell;
    }
    return std::nullopt;
  }

  [[nodiscard]] Cell cell_of(const ArrayView& hidden) const {
    for (const Cell cell : {Cell::rnn, Cell::gru, Cell::lstm}) {
      const auto gates = static_cast<std::int64_t>(traits_of(cell).gates);
      if (hidden.shape[0] % gates == 0 && hidden.shape[0] / gates == hidden.shape[1]) return cell;
    }
    fail(fmt::format("expected {} to have 1, 3 or 4 times as many rows as columns (RNN, GRU, LSTM), found {}",
                     quote(hidden.name), fmt::join(hidden.shape, " x ")));
  }

  // By its name, with or without .weight at the end, and with or without the dictionary before it.
  [[nodiscard]] const ArrayView* named(const std::string& wanted, const char* flag) const {
    const auto found = unclaimed([&](const ArrayView& array) {
      const std::string_view name = std::string_view(array.name).substr(dictionary_of(array.name).size());
      return array.name == wanted || name == wanted || name == wanted + ".weight";
    });
    if (found.size() == 1 && found[0]->shape.size() == 2) return found[0];
    fail(fmt::format("expected {} to name a matrix beside the recurrent layers, found {}; there are:{}", flag,
                     quote(wanted), list(unclaimed([](const ArrayView&) { return true; }))));
  }

  [[nodiscard]] const ArrayView* bias_of(const ArrayView& weight) const {
    constexpr std::string_view kWeight = "weight";
    if (!weight.name.ends_with(kWeight)) return nullptr;
    return find(weight.name.substr(0, weight.name.size() - kWeight.size()) + "bias");
  }

  void find_projection(const ModelOptions& model) {
    if (!options_.projection.empty()) {
      projection_ = named(options_.projection, "--projection");
    } else {
      Arrays found = unclaimed([&](const ArrayView& array) {
        const bool fits =
            array.shape.size() == 2 && array.shape[1] == model.hidden_size && array.name != options_.embedding;
        return fits && (!options_.alphabet || array.shape[0] == options_.alphabet->size());
      });
      // An embedding as wide as the hidden state has the projection's shape, but no bias.
      if (found.size() > 1) std::erase_if(found, [&](const ArrayView* array) { return bias_of(*array) == nullptr; });
      if (found.size() != 1) {
        fail(
            fmt::format("expected one matrix of (alphabet, {}) that makes logits of the hidden state; say with "
                        "--projection which one it is. Beside the recurrent layers there are:{}",
                        model.hidden_size, list(unclaimed([](const ArrayView&) { return true; }))));
      }
      projection_ = found[0];
    }
    constexpr std::int64_t kMost = 0x110000 + 16;  // characters and symbols
    if (projection_->shape[0] < 1 || projection_->shape[0] > kMost) {
      fail(fmt::format("expected {} to have a row for each character, found {} rows", quote(projection_->name),
                       projection_->shape[0]));
    }
    projection_bias_ = bias_of(*projection_);
    claim(projection_);
    claim(projection_bias_);
  }

  void find_embedding(ModelOptions& model) {
    const std::int64_t characters = projection_->shape[0];
    if (!options_.embedding.empty()) {
      embedding_ = named(options_.embedding, "--embedding");
    } else {
      const auto found = unclaimed([&](const ArrayView& array) {
        return array.shape.size() == 2 && array.shape[0] == characters && array.shape[1] == inputs_;
      });
      if (found.size() > 1) {
        fail(fmt::format("expected one embedding of ({}, {}); say with --embedding which one it is:{}", characters,
                         inputs_, list(found)));
      }
      if (found.empty() && inputs_ != characters) {
        fail(
            fmt::format("expected one-hot input of {} characters, or an embedding of ({}, {}); say with --embedding "
                        "which one it is. Beside recurrent layers and projection there are:{}",
                        characters, characters, inputs_, list(unclaimed([](const ArrayView&) { return true; }))));
      }
      embedding_ = found.empty() ? nullptr : found[0];
    }
    if (embedding_ == nullptr) return;
    constexpr std::int64_t kMax = 1 << 24;
    model.embedding = static_cast<int>(std::min(inputs_, kMax));
    claim(embedding_);
  }

  void claim(const ArrayView* array) {
    if (array != nullptr) claimed_.insert(array->name);
  }

  // A layer that rune does not know would be lost without a word, and the model would write nonsense.
  void refuse_others() const {
    Arrays others = unclaimed([](const ArrayView&) { return true; });
    for (const auto& [name, array] : arrays_) {
      if (name.starts_with(prefix_) && !is_known(std::string_view(name).substr(prefix_.size())))
        others.push_back(array);
    }
    if (others.empty()) return;
    fail(
        fmt::format("rune's models are an embedding or one-hot input, {} layers and a projection; these arrays are no "
                    "part of that:{}",
                    cell_name(cell_), list(others)));
  }

  // weight_ih_l<k> and so on; neither weight_ih_l0_reverse nor weight_hr_l0.
  [[nodiscard]] bool is_known(std::string_view name) const {
    return std::ranges::any_of(layer_tensors(cell_), [&](std::string_view kind) {
      const std::string start = fmt::format("{}_l", kind);
      return name.starts_with(start) &&
             name.substr(start.size()).find_first_not_of("0123456789") == std::string_view::npos;
    });
  }

  // What a parameter of rune is called in the file.
  [[nodiscard]] std::string file_name(const std::string& parameter) const {
    return prefix_ + parameter.substr(parameter.find('.') + 1);
  }

  [[nodiscard]] const ArrayView* source_of(const std::string& parameter) const {
    if (parameter == "embedding.weight") return embedding_;
    if (parameter == "fc.weight") return projection_;
    if (parameter == "fc.bias") return projection_bias_;
    return find(file_name(parameter));
  }

  const std::string& name_;
  const ImportOptions& options_;
  std::map<std::string, const ArrayView*> arrays_;
  std::set<std::string> claimed_;
  std::string prefix_;  // state_dict/lstm.
  std::int64_t inputs_ = 0;
  Cell cell_ = Cell::lstm;
  const ArrayView* projection_ = nullptr;
  const ArrayView* projection_bias_ = nullptr;
  const ArrayView* embedding_ = nullptr;
};

/// What is taken of a file of either format.
struct Foreign {
  std::vector<ArrayView> arrays;
  std::map<std::string, std::int64_t> integers;
  std::map<std::string, std::vector<std::string>> lists;
};

text::Vocabulary find_alphabet(const Foreign& file, const Importer& importer) {
  const auto size = static_cast<std::size_t>(importer.vocabulary_size());
  std::vector<const std::pair<const std::string, std::vector<std::string>>*> found;
  for (const auto& entry : file.lists) {
    if (entry.second.size() == size) found.push_back(&entry);
  }
  if (const auto tokens = file.lists.find("tokens"); tokens != file.lists.end()) found = {&*tokens};
  if (found.size() != 1) {
    std::string names;
    for (const auto* const entry : found) names += (names.empty() ? ", found the lists " : ", ") + quote(entry->first);
    importer.fail(
        fmt::format("expected a list `tokens` of its {} characters{}; give the alphabet with --alphabet FILE, "
                    "or --alphabet-of TEXT for the sorted characters of the text it was trained on",
                    size, names));
  }
  return vocabulary_of(found[0]->second, fmt::format("the list {}", quote(found[0]->first)));
}

void check(const Foreign& file, const char* key, int expected, const Importer& importer) {
  const auto found = file.integers.find(key);
  if (found == file.integers.end() || found->second == expected) return;
  importer.fail(fmt::format("it says {} = {}, but its weights are those of {}", key, found->second, expected));
}

Model assemble(const Foreign& file, std::size_t file_size, const std::string& name, const ImportOptions& options) {
  Importer importer(name, file.arrays, options);
  const ModelOptions model = importer.find_parts();
  check(file, "n_hidden", model.hidden_size, importer);
  check(file, "n_layers", model.layers, importer);
  text::Vocabulary vocabulary = options.alphabet ? *options.alphabet : find_alphabet(file, importer);
  if (vocabulary.size() != importer.vocabulary_size()) {
    importer.fail(fmt::format("the alphabet has {} characters, the weights are those of {}", vocabulary.size(),
                              importer.vocabulary_size()));
  }
  Network network(model, vocabulary.size(), importer.parameters(model, file_size));
  return {std::move(vocabulary), std::move(network)};
}

}  // namespace

text::Vocabulary vocabulary_of(std::span<const std::string> tokens, const std::string& where) {
  for (const std::string& token : tokens) {
    if (!text::symbol_of(token) && text::decode_utf8(token, where).size() != 1) {
      throw InputError(fmt::format("{}: expected single characters, found {}", where, quote(token)));
    }
  }
  try {
    return text::Vocabulary({{tokens.begin(), tokens.end()}});
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
}

Model import_model(std::string_view bytes, const std::string& name, const ImportOptions& options) {
  if (format::TorchFile::recognizes(bytes)) {
    const auto file = format::TorchFile::parse(bytes, name);
    return assemble({file.arrays(), file.integers(), file.lists()}, bytes.size(), name, options);
  }
  const auto file = format::SafetensorsFile::parse(bytes, name, format::Checksum::ignored);
  if (describes_model(file)) {
    if (options != ImportOptions()) {
      throw InputError(
          fmt::format("'{}' is a model of rune and says itself what it is: leave out the alphabet, the cell "
                      "and the names of its parts",
                      name));
    }
    return model_from(file);
  }
  Foreign foreign;
  for (const format::TensorView& tensor : file.tensors()) {
    if (format::is_float(tensor.dtype)) foreign.arrays.push_back(format::array_view(tensor));
  }
  return assemble(foreign, bytes.size(), name, options);
}

}  // namespace rune::model
