#!/usr/bin/env python3
"""standards -- checks files of `twc export` against the rules of DTDL version 3 and of SenML.

    standards.py FILE...

The rules are those of the DTDL v3 specification with its extension QuantitativeTypes 1, and of RFC
8428 and RFC 8798, written down here a second time, independent of the compiler's table.
"""
import json
import re
import sys

NAME = re.compile(r"[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?")
DTMI = re.compile(r"dtmi(:[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?)+"
                  r"(;[1-9][0-9]{0,8}(\.[1-9][0-9]{0,5})?)?")
SENML_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*")
CONTEXT = ["dtmi:dtdl:context;3", "dtmi:dtdl:extension:quantitativeTypes;1"]
PRIMITIVES = {"boolean", "date", "dateTime", "double", "duration", "float", "integer", "long",
              "string", "time"}
NUMBERS = {"double", "float", "integer", "long"}
# Of each semantic type used: some units of its unit type.
SEMANTIC = {
    "Acceleration": {"metrePerSecondSquared", "gForce"}, "Angle": {"degreeOfArc", "radian"},
    "AngularVelocity": {"revolutionPerMinute", "radianPerSecond"},
    "Concentration": {"partsPerMillion", "percent", "unity"}, "Current": {"ampere"},
    "Density": {"microgramPerCubicMetre", "kilogramPerCubicMetre"},
    "Energy": {"joule", "kilowattHour"}, "Force": {"newton"}, "Frequency": {"hertz"},
    "Length": {"metre", "millimetre"}, "Mass": {"kilogram"}, "Power": {"watt"},
    "Pressure": {"bar", "pascal"}, "RelativeHumidity": {"percent"}, "Resistance": {"ohm"},
    "Temperature": {"degreeCelsius", "kelvin"}, "TimeSpan": {"second"},
    "Torque": {"newtonMetre"}, "Velocity": {"metrePerSecond"}, "Voltage": {"volt"},
    "Volume": {"litre", "cubicMetre"}, "VolumeFlowRate": {"cubicMetrePerHour"},
}
SENML_UNITS = {"m", "kg", "s", "A", "K", "Hz", "N", "Pa", "J", "W", "V", "Ohm", "Cel", "m3", "m/s",
               "m/s2", "m3/s", "/", "%RH", "1/min", "kg/m3", "deg"}


def need(truth, what):
    if not truth:
        raise SystemExit(f"standards: {what}")


def check_texts(item):
    need(len(item.get("comment", "")) <= 512, "a comment is too long")
    need(len(item.get("description", "")) <= 512, "a description is too long")
    need(len(item.get("displayName", "")) <= 64, "a display name is too long")


def check_schema(schema, depth=0):
    if isinstance(schema, str):
        need(schema in PRIMITIVES, f"no schema {schema}")
        return
    need(depth < 5, "schemas are nested too deep")
    kind = schema["@type"]
    if kind == "Array":
        check_schema(schema["elementSchema"], depth + 1)
    elif kind == "Object":
        check_elements(schema["fields"], {"Field"}, depth + 1)
    else:
        need(kind == "Enum" and schema["valueSchema"] == "integer", f"no schema {kind}")
        values = schema["enumValues"]
        need(all(NAME.fullmatch(v["name"]) for v in values), "a value's name")
        need(len({v["enumValue"] for v in values}) == len(values), "two equal values")


def check_elements(items, allowed, depth=0):
    names = [item["name"] for item in items]
    need(len(set(names)) == len(names), "a name stands twice")
    for item in items:
        types = item["@type"] if isinstance(item["@type"], list) else [item["@type"]]
        need(types[0] in allowed, f"a {types[0]} here")
        need(NAME.fullmatch(item["name"]), f"the name {item['name']}")
        check_texts(item)
        if types[0] == "Relationship":
            need(item["maxMultiplicity"] >= 1, "maxMultiplicity")
            need(DTMI.fullmatch(item.get("target", "dtmi:x")), "a target")
            continue
        check_schema(item["schema"], depth)
        need((len(types) == 2) == ("unit" in item), "unit and semantic type stand together")
        if len(types) == 2:
            need(item["unit"] in SEMANTIC[types[1]], f"unit {item['unit']} of {types[1]}")
            need(item["schema"] in NUMBERS, "a quantity that is no number")


def check_interface(text, item):
    need(len(text) <= 1 << 20, "an interface is too large")
    need(item["@context"] == CONTEXT and item["@type"] == "Interface", "context and type")
    need(DTMI.fullmatch(item["@id"]) and len(item["@id"]) <= 128, f"the id {item['@id']}")
    check_texts(item)
    check_elements(item["contents"], {"Property", "Telemetry", "Relationship"})


def check_senml(item):
    for record in item["records"]:
        need(SENML_NAME.fullmatch(item["bn"] + record["n"]), f"the name {record['n']}")
        need(record["value"] in {"v", "vs", "vb", "vd"}, f"the field {record['value']}")
        need(record.get("u", "m") in SENML_UNITS, f"the unit {record.get('u')}")
        need(record["value"] == "v" or "u" not in record, "a unit of what is no number")


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        item = json.loads(text)
        if path.endswith(".senml.json"):
            check_senml(item)
        else:
            check_interface(text, item)
    print(f"{len(sys.argv) - 1} descriptions")


if __name__ == "__main__":
    main()
