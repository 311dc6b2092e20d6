//! The definition of the API.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::core::crd::CustomResourceExt;

use super::{COLUMNS, Column, FindingObject};

/// The definition of the API, as `probehound crd` prints it.
///
/// # Errors
/// None that serialising plain data can give.
pub fn definition() -> Result<String, serde_saphyr::ser::Error> {
    let mut definition = FindingObject::crd();
    for version in &mut definition.spec.versions {
        version.additional_printer_columns = Some(COLUMNS.iter().map(column).collect());
    }
    let schemas = definition.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()).for_each(drop_unsigned_formats);
    serde_saphyr::to_string(&definition)
}

/// The API server warns of formats that it does not know, at each apply.
fn drop_unsigned_formats(schema: &mut JSONSchemaProps) {
    schema.format.take_if(|format| format.starts_with("uint"));
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        drop_unsigned_formats(items);
    }
    schema.properties.iter_mut().flatten().for_each(|(_, property)| drop_unsigned_formats(property));
}

fn column(column: &Column) -> CustomResourceColumnDefinition {
    CustomResourceColumnDefinition {
        name: column.name.to_owned(),
        type_: column.of_type.to_owned(),
        json_path: column.path.to_owned(),
        priority: column.is_wide.then_some(1),
        ..CustomResourceColumnDefinition::default()
    }
}
