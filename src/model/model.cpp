#include "model/model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "model/option_names.h"
#include "text/utf8.h"

namespace rune::model {
namespace {

using Json = nlohmann::json;

constexpr const char* kFormatKey = "rune.format";
constexpr const char* kModelKey = "rune.model";
constexpr const char* kVocabularyKey = "rune.vocabulary";
constexpr const char* kFormKey = "rune.text";
constexpr const char* kFormatVersion = "1";

/// Calls visit(name, value) for every option that all files have: the one list that reading and writing share.
void visit_options(auto& options, const auto& visit) {
  visit("cell", options.cell);
  visit("nonlinearity", options.nonlinearity);
  visit("layers", options.layers);
  visit("hidden_size", options.hidden_size);
  visit("embedding", options.embedding);
  visit("dropout", options.dropout);
  visit("output_dropout", options.output_dropout);
  visit("init", options.init);
  visit("forget_bias", options.forget_bias);
}

/// And those that came later: a file has them where they are not the default, so that files from before can be read.
void visit_later_options(auto& options, const auto& visit) {
  visit("locked_dropout", options.locked_dropout);
  visit("weight_drop", options.weight_drop);
}

/// The same for the form of its texts.
void visit_form(auto& form, const auto& visit) {
  visit("unit", form.unit);
  visit("lowercase", form.lowercase);
  visit("fold_case", form.fold_case);
  visit("normalize", form.normalize);
  visit("raw", form.raw);
  visit("documents", form.documents);
  visit("records", form.records);
  visit("separator", form.separator);
  visit("column", form.column);
  visit("field", form.field);
}

template <class T>
void write(Json& json, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    json = name_of(value);
  } else {
    json = value;
  }
}

void write(Json& json, const std::optional<float>& value) {
  if (value) json = *value;
}

std::string shown(const Json& json) {
  constexpr std::size_t kLongest = 60;
  const std::string ascii = json.dump(-1, ' ', /*ensure_ascii=*/true);
  return ascii.size() <= kLongest ? ascii : ascii.substr(0, kLongest) + "...";
}

[[noreturn]] void refuse(const Json& found, const std::string& expected, const std::string& where) {
  throw InputError(fmt::format("{}: expected {}, found {}", where, expected, shown(found)));
}

template <class T>
void read(const Json& json, T& value, const std::string& where) {
  if constexpr (std::is_enum_v<T>) {
    const auto known = json.is_string() ? value_of<T>(json.get_ref<const std::string&>()) : std::nullopt;
    if (!known) refuse(json, "one of " + list_names<T>(), where);
    value = *known;
  } else {
    using Limits = std::numeric_limits<T>;
    const bool right = std::is_integral_v<T> ? json.is_number_integer() : json.is_number();
    if (!right) refuse(json, std::is_integral_v<T> ? "an integer" : "a number", where);
    const auto number = json.get<double>();
    if (!(number >= Limits::lowest() && number <= Limits::max())) refuse(json, "a number that fits", where);
    value = static_cast<T>(number);
  }
}

void read(const Json& json, bool& value, const std::string& where) {
  if (!json.is_boolean()) refuse(json, "true or false", where);
  value = json.get<bool>();
}

void read(const Json& json, std::string& value, const std::string& where) {
  if (!json.is_string()) refuse(json, "a text", where);
  value = json.get<std::string>();
}

void read(const Json& json, std::optional<float>& value, const std::string& where) {
  if (!json.is_null()) read(json, value.emplace(), where);
}

// The documents are flat, so a key that comes twice anywhere comes twice in one object. What is nested deeper than an
// alphabet's arrays of bytes is refused before it is built: showing it would take as many calls as it is deep.
Json parse_json(const std::string& json, const std::string& where) {
  constexpr int kDeepest = 3;
  std::set<std::string> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest) throw InputError(fmt::format("{}: expected flat JSON, found it nested", where));
    if (event == Json::parse_event_t::key && !keys.insert(parsed.get<std::string>()).second) {
      throw InputError(fmt::format("{}: the key {} comes twice", where, shown(parsed)));
    }
    return true;
  };
  try {
    return Json::parse(json, check);
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("{}: expected JSON: {}", where, error.what()));
  }
}

enum class Keys { required, optional };

/// Reads a flat object whose keys `walk` visits.
void read_object(const std::string& text, const std::string& where, const auto& walk) {
  const Json json = parse_json(text, where);
  if (!json.is_object()) refuse(json, "an object", where);
  std::set<std::string_view> known;
  walk([&](Keys keys, const char* name, auto& value) {
    known.insert(name);
    if (json.contains(name)) {
      read(json[name], value, fmt::format("{}: {}", where, name));
    } else if (keys == Keys::required) {
      throw InputError(fmt::format("{}: expected a value for '{}', found none", where, name));
    }
  });
  for (const auto& [key, value] : json.items()) {
    if (!known.contains(key))
      throw InputError(fmt::format("{}: unknown key {}: was it written by a newer version?", where, shown(key)));
  }
}

/// One unit: a character by its code point, a text as it is, bytes that are none one by one; a symbol by its name.
Json entry_to_json(const std::string& entry) {
  const text::Decoded first = text::decode_at(entry, 0);
  if (first.wrong == nullptr && first.length == entry.size()) return static_cast<std::uint32_t>(first.character);
  if (text::replace_invalid(entry) == entry) return entry;
  Json bytes = Json::array();
  for (const char byte : entry) bytes.push_back(static_cast<unsigned char>(byte));
  return bytes;
}

std::string entry_from_json(const Json& json, const std::string& where) {
  if (json.is_string()) return json.get<std::string>();
  std::string entry;
  if (json.is_array()) {
    for (const Json& element : json) {
      std::uint8_t byte = 0;
      read(element, byte, where);
      entry += static_cast<char>(byte);
    }
    return entry;
  }
  std::uint32_t code_point = 0;
  read(json, code_point, where);
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) refuse(json, "a code point", where);
  text::append_utf8(entry, static_cast<char32_t>(code_point));
  return entry;
}

text::Vocabulary vocabulary_from_json(const std::string& text, TextForm form, const std::string& where) {
  const Json json = parse_json(text, where);
  if (!json.is_array()) refuse(json, "an array of code points, texts, arrays of bytes and names of symbols", where);
  Vocabulary vocabulary{.form = std::move(form)};
  for (const Json& element : json) vocabulary.entries.push_back(entry_from_json(element, where));
  try {
    return text::Vocabulary(std::move(vocabulary));
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
}

/// By the block, of whose exponents the compiler makes vectors.
bool are_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F800000;  // all ones: infinite or no number
  constexpr std::size_t kBlock = 64;
  const auto is_bad = [](float value) { return (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent; };
  while (values.size() >= kBlock) {
    std::uint32_t bad = 0;
    for (const float value : values.first<kBlock>()) bad |= static_cast<std::uint32_t>(is_bad(value));
    if (bad != 0) return false;
    values = values.subspan(kBlock);
  }
  return std::ranges::none_of(values, is_bad);
}

void expect_finite(std::span<const float> values, const std::string& file, const std::string& tensor) {
  if (are_finite(values)) return;
  const auto bad = std::ranges::find_if_not(values, [](float value) { return std::isfinite(value); });
  throw InputError(fmt::format("'{}': tensor '{}': element {} is {}, expected finite weights", file, tensor,
                               bad - values.begin(), *bad));
}

bool is_training_state(std::string_view name) {
  return name.starts_with("optimizer.") || name.starts_with("state.") || name.starts_with("raw.");
}

}  // namespace

Model new_model(const ModelOptions& options, text::Vocabulary vocabulary, std::uint64_t seed) {
  ModelOptions resolved = options;
  resolved.output_dropout = options.output_dropout.value_or(options.dropout);
  const int size = vocabulary.size();
  return {std::move(vocabulary), Network(resolved, size, Parameters::initialized(resolved, size, seed))};
}

Model copy_of(const Model& original) {
  return {original.vocabulary,
          Network(original.network.options(), original.vocabulary.size(), original.network.parameters())};
}

std::string digest(const Model& model) {
  const auto& [vocabulary, network] = model;
  const ModelOptions& options = network.options();
  Hash hash;
  hash.update(fmt::format("{} {} {} {} {} {} {}\n", cell_name(options.cell), name_of(options.nonlinearity),
                          options.layers, options.hidden_size, options.embedding, vocabulary.size(),
                          vocabulary.form().records == Records::none ? "text" : "records"));
  for (const std::string& entry : vocabulary.content().entries)
    hash.update(fmt::format("{} {}\n", entry.size(), entry));
  for (const format::TensorView& tensor : tensors_of(network.parameters()))
    hash.update({reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()});
  return hash.digits();
}

std::string to_json(const ModelOptions& options) {
  Json json = Json::object();
  visit_options(options, [&](const char* name, const auto& value) { write(json[name], value); });
  Json defaults = Json::object();
  const ModelOptions unchanged;
  visit_later_options(unchanged, [&](const char* name, const auto& value) { write(defaults[name], value); });
  visit_later_options(options, [&](const char* name, const auto& value) {
    Json written;
    write(written, value);
    if (written != defaults[name]) json[name] = written;
  });
  return json.dump();
}

std::string to_json(const TextForm& form) {
  Json json = Json::object();
  visit_form(form, [&](const char* name, const auto& value) { write(json[name], value); });
  return json.dump();
}

ModelOptions model_options_from_json(const std::string& text, const std::string& where) {
  ModelOptions options;
  read_object(text, where, [&](const auto& visit) {
    visit_options(options, std::bind_front(visit, Keys::required));
    visit_later_options(options, std::bind_front(visit, Keys::optional));
  });
  try {
    validate(options);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
  return options;
}

std::vector<format::TensorView> tensors_of(const Parameters& parameters) {
  std::vector<format::TensorView> views;
  for (const Tensor& tensor : parameters.tensors()) {
    views.push_back(format::tensor_view(tensor.name, tensor.shape, parameters.values(tensor)));
  }
  return views;
}

format::Metadata metadata_of(const ModelOptions& options, const text::Vocabulary& vocabulary) {
  Json entries = Json::array();
  for (const std::string& entry : vocabulary.content().entries) entries.push_back(entry_to_json(entry));
  format::Metadata metadata{
      {kFormatKey, kFormatVersion}, {kModelKey, to_json(options)}, {kVocabularyKey, entries.dump()}};
  if (vocabulary.form() != TextForm()) {
    metadata[kFormKey] = to_json(vocabulary.form());
  }
  return metadata;
}

bool describes_model(const format::SafetensorsFile& file) { return file.metadata().contains(kModelKey); }

Model model_from(const format::SafetensorsFile& file, Purpose purpose, const kernels::Kernels& kernels) {
  const auto where = [&](const char* key) { return fmt::format("'{}': metadata '{}'", file.name(), key); };
  if (const std::string& version = file.meta(kFormatKey); version != kFormatVersion) {
    throw InputError(fmt::format("{}: expected {}, found {}: was it written by a newer version?", where(kFormatKey),
                                 kFormatVersion, version));
  }
  const ModelOptions options = model_options_from_json(file.meta(kModelKey), where(kModelKey));
  TextForm form;
  if (file.metadata().contains(kFormKey)) {
    read_object(file.meta(kFormKey), where(kFormKey),
                [&](const auto& visit) { visit_form(form, std::bind_front(visit, Keys::optional)); });
  }
  text::Vocabulary vocabulary = vocabulary_from_json(file.meta(kVocabularyKey), std::move(form), where(kVocabularyKey));

  // Every tensor of the layout is found in the file before memory is taken for it, so a small file cannot ask for much.
  const std::vector<Tensor> layout = tensor_layout(options, vocabulary.size());
  for (const Tensor& tensor : layout) {
    expect_finite(file.get(tensor.name, format::DType::f32, tensor.shape).as<float>(), file.name(), tensor.name);
  }
  for (const format::TensorView& view : file.tensors()) {
    if (!is_training_state(view.name) && std::ranges::find(layout, view.name, &Tensor::name) == layout.end()) {
      throw InputError(fmt::format("'{}': tensor '{}' is no part of the model that metadata '{}' describes",
                                   file.name(), view.name, kModelKey));
    }
  }

  Parameters parameters(options, vocabulary.size());
  for (const Tensor& tensor : layout) {
    const std::span<const float> values = file.find(tensor.name)->as<float>();
    std::copy_n(values.data(), values.size(), parameters.values(tensor).data());
  }
  Network network(options, vocabulary.size(), std::move(parameters), purpose, kernels);
  return {std::move(vocabulary), std::move(network)};
}

Model load_model(const std::filesystem::path& path, Precision precision) {
  const kernels::Kernels& kernels = kernels::kernels(precision);
  return model_from(format::SafetensorsFile::read(path), Purpose::inference, kernels);
}

void save_model(const std::filesystem::path& path, const Model& model) {
  const Parameters& parameters = model.network.parameters();
  for (const Tensor& tensor : parameters.tensors())
    expect_finite(parameters.values(tensor), path.string(), tensor.name);
  format::write_safetensors(path, tensors_of(parameters), metadata_of(model.network.options(), model.vocabulary));
}

}  // namespace rune::model
